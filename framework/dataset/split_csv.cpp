#include "framework/dataset/split_csv.h"

#include <unordered_map>

#include "framework/io/atomic_file.h"
#include "framework/io/csv.h"
#include "framework/io/csv_writer.h"
#include "kernels/device/error.h"

namespace melgrad {
namespace {

struct Side {
  const char* name;
  std::vector<size_t> Split::*tracks;
};
constexpr Side sides[] = {{"train", &Split::train}, {"validation", &Split::validation}, {"test", &Split::test}};

const Side& side_of(const CsvRow& row, const std::string& file) {
  for (const Side& side : sides) {
    if (row.fields.size() == 3 && row.fields[2] == side.name) return side;
  }
  fail("{}:{}: a line must be path,label,split, where split is train, validation or test", file, row.line);
}

}  // namespace

void write_split_csv(const std::filesystem::path& file, const Dataset& dataset, const Split& split) {
  std::string text = csv_record(std::vector<std::string>{"path", "label", "split"});
  for (const Side& side : sides) {
    for (const size_t i : split.*side.tracks) {
      const Track& track = dataset.tracks[i];
      text +=
          csv_record(std::vector{track.name, dataset.labels[static_cast<size_t>(track.label)], std::string(side.name)});
    }
  }
  write_file_atomically(file, text);
}

Split read_split_csv(const std::filesystem::path& file, const Dataset& dataset) {
  std::unordered_map<std::string, size_t> by_name;
  for (size_t i = 0; i < dataset.tracks.size(); ++i) by_name[dataset.tracks[i].name] = i;
  std::vector<CsvRow> rows = parse_csv(read_file(file), file.string());
  if (rows.empty()) fail("{} is empty; restore it, or train into a new folder (--out)", file.string());
  rows.erase(rows.begin());  // the header
  Split split;
  for (const CsvRow& row : rows) {
    const Side side = side_of(row, file.string());
    const auto found = by_name.find(row.fields[0]);
    if (found == by_name.end()) {
      fail("{}:{}: the data set {} has no track {}; give the data set that the run was trained on", file.string(),
           row.line, dataset.root.string(), row.fields[0]);
    }
    (split.*side.tracks).push_back(found->second);
  }
  return split;
}

}  // namespace melgrad
