#include "framework/dataset/split_files.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "framework/dataset/folder_walk.h"
#include "framework/io/atomic_file.h"
#include "framework/io/file_text.h"
#include "kernels/device/error.h"

namespace melgrad {
namespace {

namespace fs = std::filesystem;

// The name of a track in Unicode's composed form, without an audio extension. blues.00029 keeps ".00029", which is not
// an audio extension.
std::string bare_name(std::string name) {
  name = to_nfc(name);
  std::replace(name.begin(), name.end(), '\\', '/');
  fs::path path = fs::path(name).lexically_normal();
  if (is_audio_file(path)) path.replace_extension();
  return path.generic_string();
}

// True if one path ends with the other, compared folder by folder.
bool ends_alike(const fs::path& a, const fs::path& b) {
  auto i = a.end(), j = b.end();
  while (i != a.begin() && j != b.begin()) {
    if (*--i != *--j) return false;
  }
  return true;
}

class TrackFinder {
 public:
  explicit TrackFinder(const std::vector<Track>& tracks) : tracks_(tracks) {
    for (size_t i = 0; i < tracks.size(); ++i) {
      bare_.push_back(bare_name(tracks[i].name));
      by_last_part_[fs::path(bare_.back()).filename().string()].push_back(i);
    }
  }

  // The index of the track that `line` names; the number of tracks if there is none. Errors begin with `at`.
  size_t find(const std::string& line, const std::string& at) const {
    const std::string wanted = bare_name(line);
    const auto candidates = by_last_part_.find(fs::path(wanted).filename().string());
    if (candidates == by_last_part_.end()) return tracks_.size();
    std::vector<size_t> fitting;
    for (const size_t track : candidates->second) {
      if (tracks_[track].name == line) return track;
      if (ends_alike(bare_[track], wanted)) fitting.push_back(track);
    }
    if (fitting.size() > 1) {
      fail("{}: '{}' matches {} and {}; write more of the path", at, line, tracks_[fitting[0]].name,
           tracks_[fitting[1]].name);
    }
    return fitting.empty() ? tracks_.size() : fitting.front();
  }

 private:
  const std::vector<Track>& tracks_;
  std::vector<std::string> bare_;
  std::unordered_map<std::string, std::vector<size_t>> by_last_part_;
};

struct ListedTrack {
  std::string name, at;  // at: file:line
};

std::vector<ListedTrack> read_list(const fs::path& file) {
  const std::string text = read_file(file);
  std::string_view rest = text;
  if (rest.starts_with("\xEF\xBB\xBF")) rest.remove_prefix(3);
  std::vector<ListedTrack> listed;
  for (size_t line = 1; !rest.empty(); ++line) {
    const size_t length = std::min(rest.find('\n'), rest.size());
    std::string_view name = rest.substr(0, length);
    rest.remove_prefix(std::min(length + 1, rest.size()));
    while (!name.empty() && (name.back() == '\r' || name.back() == ' ' || name.back() == '\t')) name.remove_suffix(1);
    if (!name.empty()) listed.push_back({std::string(name), fmt::format("{}:{}", file.string(), line)});
  }
  return listed;
}

std::map<std::string, fs::path> find_lists(const fs::path& folder) {
  if (!fs::is_directory(folder))
    fail("{} is not a folder; give a folder with train*.txt, valid*.txt and test*.txt", folder.string());
  std::map<std::string, fs::path> lists;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string file = entry.path().filename().string();
    if (entry.path().extension() != ".txt") continue;
    const std::string split(split_name(file.substr(0, file.find_first_of("_-."))));
    if (split.empty()) continue;
    const auto [other, is_new] = lists.emplace(split, entry.path());
    if (!is_new) {
      fail("{}: {} and {} both list {} tracks; keep one", folder.string(), other->second.filename().string(), file,
           split);
    }
  }
  for (const char* split : {"train", "test"}) {
    if (!lists.contains(split)) {
      fail("{}: no list of {} tracks; train*.txt and test*.txt are required, valid*.txt is optional", folder.string(),
           split);
    }
  }
  return lists;
}

}  // namespace

void apply_split_files(Dataset& dataset, const fs::path& folder) try {
  const TrackFinder finder(dataset.tracks);
  std::vector<std::string> listed_at(dataset.tracks.size());
  for (const auto& [split, file] : find_lists(folder)) {
    for (const auto& [name, at] : read_list(file)) {
      const size_t track = finder.find(name, at);
      if (track == dataset.tracks.size()) {
        dataset.warnings.push_back(fmt::format("{}: {} is not in {}; it is left out", at, name, dataset.root.string()));
        continue;
      }
      if (!listed_at[track].empty()) fail("{}: {} is already listed in {}; remove one", at, name, listed_at[track]);
      listed_at[track] = at;
      dataset.tracks[track].split = split;
    }
  }
  std::vector<Track> kept;
  for (size_t i = 0; i < dataset.tracks.size(); ++i) {
    if (!listed_at[i].empty()) kept.push_back(std::move(dataset.tracks[i]));
  }
  if (kept.empty()) {
    fail("{}: none of the listed tracks is in {}; give the lists of this data set", folder.string(),
         dataset.root.string());
  }
  dataset.tracks = std::move(kept);
} catch (const fs::filesystem_error& error) {
  fail("cannot read {}: {}", error.path1().string(), error.code().message());
}

}  // namespace melgrad
