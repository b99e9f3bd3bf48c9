#include "framework/dataset/split_csv.h"

#include <fmt/ranges.h>
#include <xxhash.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <unordered_map>
#include <vector>

#include "framework/dataset/cache_key.h"
#include "framework/io/atomic_file.h"
#include "framework/io/csv.h"
#include "framework/io/csv_writer.h"
#include "framework/io/file_text.h"
#include "kernels/device/error.h"

namespace melgrad {
namespace {

struct Side {
  const char* name;
  std::vector<size_t> Split::*tracks;
};
constexpr Side known_sides[] = {{"train", &Split::train}, {"validation", &Split::validation}, {"test", &Split::test}};

struct Record {
  size_t track;
  const Side& side;
  std::string label, content;
};

Record parse_record(const CsvRow& row, const std::string& file, const std::unordered_map<std::string, size_t>& by_name,
                    const Dataset& dataset) {
  const auto side = std::ranges::find_if(
      known_sides, [&](const Side& known) { return row.fields.size() >= 3 && row.fields[2] == known.name; });
  if (side == std::end(known_sides) || row.fields.size() > 4) {
    fail("{}:{}: a line must be path,label,split,content, where split is train, validation or test", file, row.line);
  }
  const auto found = by_name.find(to_nfc(row.fields[0]));
  if (found == by_name.end()) {
    fail("{}:{}: the data set {} has no track {}; give the data set that the run was trained on", file, row.line,
         dataset.root.string(), row.fields[0]);
  }
  return {found->second, *side, row.fields[1], row.fields.size() == 4 ? row.fields[3] : ""};
}

std::vector<Record> read_records(const std::filesystem::path& file, const Dataset& dataset) {
  std::unordered_map<std::string, size_t> by_name;
  for (size_t i = 0; i < dataset.tracks.size(); ++i) by_name[to_nfc(dataset.tracks[i].name)] = i;
  std::vector<CsvRow> rows = parse_csv(read_file(file), file.string());
  if (rows.empty()) fail("{} is empty; restore it, or train into a new folder (--out)", file.string());
  rows.erase(rows.begin());  // the header
  std::vector<Record> records;
  for (const CsvRow& row : rows) records.push_back(parse_record(row, file.string(), by_name, dataset));
  return records;
}

const std::string& label_of(const Dataset& dataset, size_t track) {
  return dataset.labels[static_cast<size_t>(dataset.tracks[track].label)];
}

// Up to three of the names.
std::string some_of(const std::vector<std::string>& names) {
  constexpr size_t most = 3;
  const std::vector<std::string> shown(names.begin(),
                                       names.begin() + static_cast<ptrdiff_t>(std::min(most, names.size())));
  return fmt::format("{}{}", fmt::join(shown, ", "), names.size() > most ? ", ..." : "");
}

}  // namespace

void write_split_csv(const std::filesystem::path& file, const Dataset& dataset, const Split& split,
                     const TrackContents& contents) {
  std::string text = csv_record(std::vector<std::string>{"path", "label", "split", "content"});
  for (const Side& side : known_sides) {
    for (const size_t i : split.*side.tracks) {
      const auto content = contents.find(i);
      text += csv_record(std::vector{dataset.tracks[i].name, label_of(dataset, i), std::string(side.name),
                                     content == contents.end() ? std::string() : content->second});
    }
  }
  write_file_atomically(file, text);
}

Split read_split_csv(const std::filesystem::path& file, const Dataset& dataset) {
  Split split;
  for (const Record& record : read_records(file, dataset)) (split.*record.side.tracks).push_back(record.track);
  return split;
}

std::string split_fingerprint(const std::filesystem::path& file) {
  const std::string bytes = read_file(file);
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return to_text({hash.high64, hash.low64});
}

void require_same_tracks(const std::filesystem::path& file, const Dataset& dataset, const TrackContents& contents) {
  std::vector<std::string> relabelled, replaced, missing;
  for (const Record& record : read_records(file, dataset)) {
    const std::string& name = dataset.tracks[record.track].name;
    const std::string& label = label_of(dataset, record.track);
    if (to_nfc(record.label) != label) relabelled.push_back(fmt::format("{} ({}, was {})", name, label, record.label));
    if (record.content.empty()) continue;
    const auto content = contents.find(record.track);
    if (content == contents.end()) {
      missing.push_back(name);
    } else if (content->second != record.content) {
      replaced.push_back(name);
    }
  }
  std::string what;
  const auto add = [&](const std::vector<std::string>& names, const char* change) {
    if (!names.empty())
      what += fmt::format("{}{} {}: {}", what.empty() ? "" : "; ", names.size(), change, some_of(names));
  };
  add(relabelled, "labels changed");
  add(replaced, "recordings changed");
  add(missing, "recordings can no longer be read");
  if (what.empty()) return;
  fail("{}: since the run was started, {}; restore the data to resume, or train into a new folder (--out)",
       file.string(), what);
}

}  // namespace melgrad
