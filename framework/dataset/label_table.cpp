#include "framework/dataset/label_table.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string_view>
#include <unordered_map>

#include "framework/dataset/dataset_builder.h"
#include "framework/dataset/folder_walk.h"
#include "framework/io/atomic_file.h"
#include "framework/io/csv.h"
#include "framework/io/file_text.h"
#include "kernels/device/error.h"

namespace melgrad {
namespace {

namespace fs = std::filesystem;

// Usual names of columns, the best first.
constexpr std::string_view path_names[] = {"path", "slice_file_name", "filename", "file_name", "filepath", "file_path",
                                           "file", "audio_path",      "audio",    "track_id",  "id",       "name"};
constexpr std::string_view label_names[] = {"label",    "genre", "genre_top", "track.genre_top", "class",
                                            "category", "style", "target",    "classid"};
constexpr std::string_view fold_names[] = {"fold"};
constexpr std::string_view split_names[] = {"split", "set.split"};
constexpr std::string_view group_names[] = {"group", "artist_id", "artist.id", "artist", "src_file", "fsid"};

struct Table {
  std::string file;
  std::vector<std::string> columns;
  std::vector<CsvRow> rows;

  std::string at(const CsvRow& row) const { return fmt::format("{}:{}", file, row.line); }
};

// The tables of FMA have three header lines: the sets of columns (track, artist, ...), their names, and "track_id".
bool has_fma_header(const std::vector<CsvRow>& rows) {
  return rows.size() > 3 && rows[2].fields[0] == "track_id" && rows[0].fields.size() == rows[1].fields.size() &&
         rows[0].fields[0].empty() && rows[1].fields[0].empty();
}

Table read_table(const fs::path& file) {
  const std::string text = decode_text(read_file(file));
  if (text.find('\0') != std::string::npos) {
    fail("{} is not a table of text: it contains NUL bytes; give a file with columns", file.string());
  }
  Table table{.file = file.string(), .columns = {}, .rows = parse_csv(text, file.string(), find_separator(text))};
  if (table.rows.empty()) fail("{} is empty; its first line must name the columns", table.file);
  if (has_fma_header(table.rows)) {
    for (size_t i = 0; i < table.rows[0].fields.size(); ++i) {
      table.columns.push_back(i == 0 ? "track_id" : table.rows[0].fields[i] + "." + table.rows[1].fields[i]);
    }
    table.rows.erase(table.rows.begin(), table.rows.begin() + 3);
  } else {
    for (const std::string& name : table.rows[0].fields) table.columns.push_back(trimmed(name));
    table.rows.erase(table.rows.begin());
  }
  return table;
}

std::optional<size_t> find_column(const Table& table, const std::string& wanted,
                                  std::span<const std::string_view> usual) {
  if (!wanted.empty()) {
    const auto found = std::ranges::find(table.columns, wanted);
    if (found == table.columns.end()) {
      fail("{} has no column '{}'; its columns are {}", table.file, wanted, fmt::join(table.columns, ", "));
    }
    return static_cast<size_t>(found - table.columns.begin());
  }
  for (const std::string_view name : usual) {
    for (size_t i = 0; i < table.columns.size(); ++i) {
      if (lower_case(table.columns[i]) == name) return i;
    }
  }
  return std::nullopt;
}

size_t require_column(const Table& table, const std::string& wanted, std::span<const std::string_view> usual,
                      const char* what, const char* option) {
  const auto column = find_column(table, wanted, usual);
  if (!column) {
    fail("{}: no column is known to hold the {}; name it by {}; the columns are {}", table.file, what, option,
         fmt::join(table.columns, ", "));
  }
  return *column;
}

// Finds audio files by what tables write: a path, a file name with or without extension, a number.
class FileFinder {
 public:
  FileFinder(const fs::path& root, const std::vector<fs::path>& files) {
    for (size_t i = 0; i < files.size(); ++i) {
      const std::string relative = files[i].lexically_relative(root).generic_string();
      names_.push_back(relative);
      const fs::path decoded = to_nfc(decode_text(relative));
      by_name_[decoded.filename().string()].push_back(i);
      by_stem_[decoded.stem().string()].push_back(i);
    }
  }

  // The index of the file; empty if there is none. `fold` chooses among files of one name in several folders.
  std::optional<size_t> find(const std::string& text, std::optional<int> fold, const std::string& at) const {
    std::string wanted = to_nfc(text);
    std::ranges::replace(wanted, '\\', '/');
    wanted = fs::path(wanted).lexically_normal().generic_string();
    const std::string name = fs::path(wanted).filename().string();
    for (const auto* index : {&by_name_, &by_stem_}) {
      if (const auto found = index->find(name); found != index->end()) return choose(found->second, wanted, fold, at);
    }
    const bool is_number = std::ranges::all_of(wanted, [](char byte) { return byte >= '0' && byte <= '9'; });
    constexpr size_t digits = 6;  // of FMA
    if (!is_number || wanted.size() >= digits) return std::nullopt;
    const auto found = by_stem_.find(std::string(digits - wanted.size(), '0') + wanted);
    return found == by_stem_.end() ? std::nullopt : choose(found->second, wanted, fold, at);
  }

  const std::string& name(size_t file) const { return names_[file]; }

 private:
  std::optional<size_t> choose(const std::vector<size_t>& candidates, const std::string& wanted,
                               std::optional<int> fold, const std::string& at) const {
    std::vector<size_t> fitting = candidates;
    const auto keep = [&](auto condition) {
      std::vector<size_t> kept;
      std::ranges::copy_if(fitting, std::back_inserter(kept), [&](size_t i) { return condition(names_[i]); });
      if (!kept.empty()) fitting = kept;
    };
    if (fitting.size() > 1)
      keep([&](const std::string& n) { return to_nfc(n) == wanted || to_nfc(n).ends_with("/" + wanted); });
    if (fitting.size() > 1 && fold) {
      keep([&](const std::string& n) { return n.find(fmt::format("fold{}/", *fold)) != std::string::npos; });
    }
    if (fitting.size() > 1) {
      fail("{}: '{}' matches {} and {}; write more of the path", at, wanted, names_[fitting[0]], names_[fitting[1]]);
    }
    return fitting[0];
  }

  std::vector<std::string> names_;  // relative to the root
  std::unordered_map<std::string, std::vector<size_t>> by_name_, by_stem_;
};

// Lines or files that were left out, with the first of them.
struct LeftOut {
  size_t count = 0;
  std::string first;
  void add(const std::string& item) {
    if (count++ == 0) first = item;
  }
};

class Loader {
 public:
  explicit Loader(const DatasetSource& source)
      : table_(read_table(source.labels)),
        root_(source.data),
        listing_(list_audio(source.data)),
        finder_(root_, listing_.audio),
        path_(require_column(table_, source.path_column, path_names, "file names", "--path-column")),
        label_(require_column(table_, source.label_column, label_names, "labels", "--label-column")),
        fold_(find_column(table_, source.fold_column, fold_names)),
        split_(find_column(table_, "", split_names)),
        group_(find_column(table_, "", group_names)),
        dataset_(source.data, source.labels) {}

  Dataset load() && {
    for (const CsvRow& row : table_.rows) add(row);
    if (dataset_.empty()) {
      fail("{} gives no tracks: {} of its lines have no label, {} name no audio file below {}{}", table_.file,
           unlabelled_.count, absent_.count, root_.string(),
           absent_.count > 0 ? fmt::format(", the first is {}", absent_.first) : "");
    }
    for (size_t i = 0; i < listing_.audio.size(); ++i) {
      if (!used_.contains(i)) unlisted_.add(finder_.name(i));
    }
    warn(unlabelled_, "lines without a label");
    warn(absent_, "lines whose audio file does not exist");
    warn(unlisted_, "audio files that the table does not list");
    if (const std::string account = listing_.account(root_); !account.empty()) dataset_.warn(account);
    return std::move(dataset_).finish();
  }

 private:
  void warn(const LeftOut& left_out, const char* what) {
    if (left_out.count == 0) return;
    dataset_.warn(
        fmt::format("{}: left out: {} {}, the first is {}", table_.file, left_out.count, what, left_out.first));
  }

  std::string field(const CsvRow& row, std::optional<size_t> column) const {
    return column && *column < row.fields.size() ? trimmed(row.fields[*column]) : "";
  }

  void add(const CsvRow& row) {
    if (row.fields.size() != table_.columns.size()) {
      fail("{}: {} fields, but the table has {} columns; put a field that contains the separator in quotes",
           table_.at(row), row.fields.size(), table_.columns.size());
    }
    const std::string path = field(row, path_), label = field(row, label_);
    if (label.empty()) return unlabelled_.add(table_.at(row));
    const std::optional<int> fold = read_fold(row);
    const auto file = finder_.find(path, fold, table_.at(row));
    if (!file) return absent_.add(path);
    if (!used_.insert(*file).second) fail("{}: {} is listed twice; remove one", table_.at(row), finder_.name(*file));
    std::string split(split_name(lower_case(field(row, split_))));
    dataset_.add({.path = listing_.audio[*file],
                  .name = finder_.name(*file),
                  .group = field(row, group_),
                  .fold = fold,
                  .split = std::move(split)},
                 label);
  }

  std::optional<int> read_fold(const CsvRow& row) const {
    const std::string text = field(row, fold_);
    if (text.empty()) return std::nullopt;
    int fold = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), fold);
    if (error != std::errc() || end != text.data() + text.size() || fold < 0) {
      fail("{}: {} is '{}'; it must be a whole number from 0", table_.at(row), table_.columns[*fold_], text);
    }
    return fold;
  }

  Table table_;
  fs::path root_;
  FolderListing listing_;
  FileFinder finder_;
  size_t path_, label_;
  std::optional<size_t> fold_, split_, group_;
  DatasetBuilder dataset_;
  std::set<size_t> used_;
  LeftOut unlabelled_, absent_, unlisted_;
};

}  // namespace

Dataset load_label_table(const DatasetSource& source) {
  if (!fs::is_directory(source.data)) {
    fail("{} is not a folder; with a table of labels, give the folder that holds the audio files",
         source.data.string());
  }
  return Loader(source).load();
}

}  // namespace melgrad
