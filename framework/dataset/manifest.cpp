#include "framework/dataset/manifest.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

#include "framework/dataset/dataset_builder.h"
#include "framework/dataset/listed_path.h"
#include "framework/io/atomic_file.h"
#include "framework/io/csv.h"
#include "framework/io/file_text.h"
#include "kernels/device/error.h"

namespace melgrad {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view known_columns[] = {"path", "label", "group", "fold", "split"};

// Bytes that are not UTF-8 stay as they are, because names of files on this system may have them; field() decodes
// others.
std::vector<CsvRow> read_rows(const fs::path& file) {
  std::string text = read_file(file);
  if (is_utf16(text)) text = decode_text(text);
  return parse_csv(text, file.string(), find_separator(text));
}

// The path relative to the root, but absolute if it was listed so and lies elsewhere.
std::string name_of(const fs::path& file, const fs::path& root, bool listed_absolute) {
  const fs::path absolute = fs::absolute(file).lexically_normal();
  const fs::path relative = absolute.lexically_relative(fs::absolute(root).lexically_normal());
  const bool is_below = !relative.empty() && *relative.begin() != "..";
  return (is_below || !listed_absolute ? relative : absolute).generic_string();
}

// A line of the manifest.
struct Listed {
  size_t line;
  std::string path, label;

  bool is_same_in_another_form(const Listed& other) const {
    return path != other.path && to_nfc(path) == to_nfc(other.path) && to_nfc(label) == to_nfc(other.label);
  }
};

class Manifest {
 public:
  explicit Manifest(const fs::path& file) : file_(file), rows_(read_rows(file)) {
    if (rows_.empty()) fail("{} is empty; its first line must name the columns path,label", file.string());
    const CsvRow& header = rows_.front();
    for (size_t i = 0; i < header.fields.size(); ++i) {
      const std::string column = trimmed(header.fields[i]);
      if (std::ranges::count(known_columns, column) == 0) continue;
      if (!columns_.emplace(column, i).second) fail("{}: the column '{}' is named twice", at(header), column);
    }
    if (!header.fields.empty() && header.fields.back().find('\r') != std::string::npos) {
      fail("{}: its lines end in CR alone; save it with LF or CRLF", at(header));
    }
    for (const char* column : {"path", "label"}) {
      if (columns_.contains(column)) continue;
      fail("{}: no column '{}' among '{}'; the first line must be path,label[,group][,fold][,split], with commas",
           at(header), column, fmt::join(header.fields, "', '"));
    }
  }

  Dataset load() const {
    const fs::path root = file_.has_parent_path() ? file_.parent_path() : fs::path(".");
    DatasetBuilder dataset(root, file_);
    const fs::path base = fs::current_path();
    std::map<fs::path, Listed> listed;  // by normalised path
    for (size_t i = 1; i < rows_.size(); ++i) {
      const CsvRow& row = rows_[i];
      if (row.fields.size() != rows_.front().fields.size()) {
        fail("{}: {} fields, but the first line has {}; put a field that contains a comma in quotes", at(row),
             row.fields.size(), rows_.front().fields.size());
      }
      Track track = read_track(row, root);
      const std::string label = required(row, "label");
      const Listed own{row.line, field(row, "path"), label};
      const auto [first, is_new] = listed.emplace((base / track.path).lexically_normal(), own);
      if (is_new) {
        dataset.add(std::move(track), label);
      } else if (first->second.is_same_in_another_form(own)) {
        dataset.warn(fmt::format("{}: {} is already listed in line {} in another Unicode form", at(row), track.name,
                                 first->second.line));
      } else {
        fail("{}: {} is already listed in line {}; remove one", at(row), track.name, first->second.line);
      }
    }
    if (dataset.empty()) fail("{} lists no tracks; add one line for each track", file_.string());
    return std::move(dataset).finish();
  }

 private:
  Track read_track(const CsvRow& row, const fs::path& root) const {
    std::string listed = required(row, "path");
    const std::string raw = raw_field(row, "path");
    std::error_code ignored;
    if (raw.find('\0') == std::string::npos && fs::exists(root / raw, ignored)) listed = raw;
    const fs::path found = find_listed(root, listed, at(row));
    Track track{
        .path = found, .name = name_of(found, root, fs::path(listed).is_absolute()), .group = field(row, "group")};
    if (columns_.contains("fold")) track.fold = read_fold(row);
    if (columns_.contains("split")) {
      track.split = split_name(field(row, "split"));
      if (track.split.empty()) {
        fail("{}: split is '{}'; it must be train, validation or test", at(row), field(row, "split"));
      }
    }
    return track;
  }

  int read_fold(const CsvRow& row) const {
    const std::string text = field(row, "fold");
    int fold = -1;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), fold);
    if (error != std::errc() || end != text.data() + text.size() || fold < 0) {
      fail("{}: fold is '{}'; it must be a whole number from 0", at(row), text);
    }
    return fold;
  }

  // "" if the manifest has no such column.
  std::string raw_field(const CsvRow& row, const std::string& column) const {
    const auto found = columns_.find(column);
    return found == columns_.end() ? "" : trimmed(row.fields[found->second]);
  }
  std::string field(const CsvRow& row, const std::string& column) const { return decode_text(raw_field(row, column)); }

  std::string required(const CsvRow& row, const std::string& column) const {
    std::string value = field(row, column);
    if (value.empty()) fail("{}: the {} is empty; fill it in or remove the line", at(row), column);
    return value;
  }

  std::string at(const CsvRow& row) const { return fmt::format("{}:{}", file_.string(), row.line); }

  fs::path file_;
  std::vector<CsvRow> rows_;
  std::map<std::string, size_t> columns_;
};

}  // namespace

Dataset load_manifest(const fs::path& file) { return Manifest(file).load(); }

}  // namespace melgrad
