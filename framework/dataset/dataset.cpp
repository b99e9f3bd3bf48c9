#include "framework/dataset/dataset.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <utility>

#include "framework/io/atomic_file.h"
#include "framework/io/csv.h"
#include "framework/terminal/text.h"
#include "kernels/device/error.h"

namespace melgrad {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view readable[] = {".wav", ".au",  ".flac", ".ogg",  ".oga", ".opus",
                                         ".mp3", ".aif", ".aiff", ".aifc", ".caf"};
constexpr std::string_view unreadable[] = {".m4a", ".aac", ".mp4", ".m4b", ".wma", ".ape"};

constexpr size_t longest_label = 200;  // bytes

std::string lower_case_extension(const fs::path& path) {
  std::string extension = path.extension().string();
  for (char& byte : extension) {
    if (byte >= 'A' && byte <= 'Z') byte = static_cast<char>(byte - 'A' + 'a');
  }
  return extension;
}

bool is_hidden(const fs::path& path) { return path.filename().string().starts_with('.'); }

// Collects tracks with the names of their labels. finish() sorts both and sets Track::label.
class DatasetBuilder {
 public:
  explicit DatasetBuilder(fs::path root) { dataset_.root = std::move(root); }

  void add(Track track, const std::string& label) {
    if (const std::string reason = why_no_label(label); !reason.empty()) {
      fail("{}: '{}' cannot be the label of {}: {}; rename it", dataset_.root.string(), label, track.name, reason);
    }
    labels_.insert(label);
    found_.emplace_back(std::move(track), label);
  }

  void warn(std::string line) { dataset_.warnings.push_back(std::move(line)); }

  Dataset finish() && {
    dataset_.labels.assign(labels_.begin(), labels_.end());
    for (auto& [track, label] : found_) {
      const auto position = std::lower_bound(dataset_.labels.begin(), dataset_.labels.end(), label);
      track.label = static_cast<int>(position - dataset_.labels.begin());
      dataset_.tracks.push_back(std::move(track));
    }
    std::sort(dataset_.tracks.begin(), dataset_.tracks.end(),
              [](const Track& a, const Track& b) { return a.name < b.name; });
    return std::move(dataset_);
  }

  bool empty() const { return found_.empty(); }

 private:
  Dataset dataset_;
  std::set<std::string> labels_;
  std::vector<std::pair<Track, std::string>> found_;
};

std::vector<fs::path> visible_entries(const fs::path& folder) {
  std::vector<fs::path> entries;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (!is_hidden(entry.path()) && entry.path().filename() != "__MACOSX") entries.push_back(entry.path());
  }
  std::sort(entries.begin(), entries.end());
  return entries;
}

// Collects all visible files below `folder`. Links to folders are followed, but each folder is visited once: a link to
// a parent folder would otherwise give every track many names.
void collect_files(const fs::path& folder, std::set<fs::path>& seen, std::vector<fs::path>& files) {
  if (!seen.insert(fs::canonical(folder)).second) return;
  for (const fs::path& entry : visible_entries(folder)) {
    if (fs::is_directory(entry)) {
      collect_files(entry, seen, files);
    } else if (fs::is_regular_file(entry)) {
      files.push_back(entry);
    }
  }
}

// The folder of genre folders: `folder` itself, or a folder in it that has a name used by downloads of GTZAN.
fs::path find_genres(const fs::path& folder) {
  for (const char* name : {"genres_original", "genres", "Data/genres_original"}) {
    const fs::path candidate = folder / name;
    if (!fs::is_directory(candidate)) continue;
    const auto entries = visible_entries(candidate);
    if (std::any_of(entries.begin(), entries.end(), [](const fs::path& entry) { return fs::is_directory(entry); })) {
      return candidate;
    }
  }
  return folder;
}

Dataset load_folder(const fs::path& folder) {
  const fs::path root = find_genres(folder);
  DatasetBuilder dataset(root);
  std::set<fs::path> seen{fs::canonical(root)};
  std::vector<std::string> left_out;
  size_t outside = 0;
  for (const fs::path& entry : visible_entries(root)) {
    if (!fs::is_directory(entry)) {
      outside += is_audio_file(entry);
      continue;
    }
    std::vector<fs::path> files;
    collect_files(entry, seen, files);
    bool any_audio = false;
    for (const fs::path& file : files) {
      const std::string name = file.lexically_relative(root).generic_string();
      if (is_audio_file(file)) {
        dataset.add({.path = file, .name = name}, entry.filename().string());
        any_audio = true;
      } else if (std::ranges::count(unreadable, lower_case_extension(file)) > 0) {
        left_out.push_back(name);
      }
    }
    if (!any_audio) dataset.warn(fmt::format("{} holds no audio that can be read; it is left out", entry.string()));
  }
  if (dataset.empty()) {
    fail("{}: no audio in genre folders; {}/<genre>/<track>.wav or a manifest.csv is expected", folder.string(),
         folder.filename().empty() ? folder.parent_path().filename().string() : folder.filename().string());
  }
  if (!left_out.empty()) {
    dataset.warn(fmt::format(
        "files in unsupported formats (AAC and similar) are left out: {}, the first is {}; convert them to WAV, FLAC, "
        "Ogg or MP3",
        left_out.size(), left_out.front()));
  }
  if (outside > 0) {
    dataset.warn(
        fmt::format("audio files directly in {}, outside the genre folders, are left out: {}", root.string(), outside));
  }
  return std::move(dataset).finish();
}

std::string trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t"), end = text.find_last_not_of(" \t");
  return begin == std::string_view::npos ? "" : std::string(text.substr(begin, end - begin + 1));
}

constexpr std::string_view known_columns[] = {"path", "label", "group", "fold", "split"};

class Manifest {
 public:
  explicit Manifest(const fs::path& file) : file_(file), rows_(parse_csv(read_file(file), file.string())) {
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
    DatasetBuilder dataset(root);
    const fs::path base = fs::current_path();
    std::map<fs::path, size_t> lines;  // line of each normalised path
    for (size_t i = 1; i < rows_.size(); ++i) {
      const CsvRow& row = rows_[i];
      if (row.fields.size() != rows_.front().fields.size()) {
        fail("{}: {} fields, but the first line has {}; put a field that contains a comma in quotes", at(row),
             row.fields.size(), rows_.front().fields.size());
      }
      Track track = read_track(row, root);
      const auto [first, is_new] = lines.emplace((base / track.path).lexically_normal(), row.line);
      if (!is_new) fail("{}: {} is already listed in line {}; remove one", at(row), track.name, first->second);
      dataset.add(std::move(track), required(row, "label"));
    }
    if (dataset.empty()) fail("{} lists no tracks; add one line for each track", file_.string());
    return std::move(dataset).finish();
  }

 private:
  Track read_track(const CsvRow& row, const fs::path& root) const {
    const std::string text = required(row, "path");
    if (text.find('\0') != std::string::npos) fail("{}: the path contains a NUL byte; remove it", at(row));
    const fs::path listed = fs::path(text).lexically_normal();
    Track track{.path = root / listed, .name = listed.generic_string(), .group = field(row, "group")};
    if (listed.is_absolute()) {
      const fs::path inside = listed.lexically_relative(fs::absolute(root).lexically_normal());
      if (!inside.empty() && *inside.begin() != "..") track.name = inside.generic_string();
    }
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
  std::string field(const CsvRow& row, const std::string& column) const {
    const auto found = columns_.find(column);
    return found == columns_.end() ? "" : trimmed(row.fields[found->second]);
  }

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

Dataset load_dataset(const fs::path& path) try {
  if (!fs::exists(path))
    fail("{}: no such file or folder; give a folder of genre folders or a manifest", path.string());
  const bool is_folder = fs::is_directory(path);
  if (!is_folder && lower_case_extension(path) != ".csv") {
    fail("{} is neither a folder nor a .csv manifest; give a folder of genre folders or a manifest", path.string());
  }
  const fs::path manifest = is_folder ? path / "manifest.csv" : path;
  const bool has_manifest = fs::exists(manifest);
  Dataset dataset = has_manifest ? Manifest(manifest).load() : load_folder(path);
  dataset.source = has_manifest ? manifest : dataset.root;
  if (dataset.labels.size() > most_labels) {
    fail("{} has {} labels, at most {} are allowed; merge labels or leave some out", dataset.source.string(),
         dataset.labels.size(), most_labels);
  }
  return dataset;
} catch (const fs::filesystem_error& error) {
  fail("cannot read {}: {}", error.path1().string(), error.code().message());
}

bool is_audio_file(const fs::path& path) {
  return !is_hidden(path) && std::ranges::count(readable, lower_case_extension(path)) > 0;
}

std::string why_no_label(std::string_view label) {
  if (label.empty()) return "it is empty";
  if (label.size() > longest_label)
    return fmt::format("it has {} bytes, at most {} are allowed", label.size(), longest_label);
  if (!is_utf8(label)) return "it is not UTF-8";
  if (one_line(label) != label) return "it contains a control character";
  return "";
}

std::string_view split_name(std::string_view word) {
  if (word == "train" || word == "training") return "train";
  if (word == "validation" || word == "valid" || word == "val") return "validation";
  if (word == "test" || word == "testing") return "test";
  return "";
}

}  // namespace melgrad
