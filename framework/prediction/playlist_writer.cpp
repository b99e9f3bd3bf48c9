#include "framework/prediction/playlist_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "framework/io/atomic_file.h"
#include "framework/terminal/text.h"
#include "kernels/device/error.h"

namespace melgrad {
namespace {

namespace fs = std::filesystem;

std::string file_name(std::string label) {
  std::ranges::replace(label, '/', '_');
  if (label.starts_with('.')) label[0] = '_';
  return label + ".m3u8";
}

// Links are resolved, because a path with ".." is followed from the folder to which a link leads.
fs::path resolved(const fs::path& path) {
  std::error_code error;
  const fs::path result = fs::weakly_canonical(fs::absolute(path), error);
  return error ? fs::absolute(path).lexically_normal() : result;
}

class PlaylistWriter final : public PredictionWriter {
 public:
  PlaylistWriter(const fs::path& folder, const std::vector<std::string>& labels,
                 std::function<void(const std::string&)> warn)
      : folder_(folder), base_(resolved(folder)), warn_(std::move(warn)) {
    for (const std::string& label : labels) {
      playlists_.push_back({.label = label, .file = names_.unique(file_name(label)), .text = "#EXTM3U\n"});
    }
  }

  void add(const Input& input, const Answer& answer) override {
    const fs::path track = resolved(input.path.parent_path()) / input.path.filename();
    std::string path = track.lexically_relative(base_).string();
    if (!is_utf8(path) || path.find_first_of("\r\n") != std::string::npos) {
      return warn_(fmt::format("{} is in no playlist, because its name {}; rename it", input.path.string(),
                               is_utf8(path) ? "has a line break" : "is not UTF-8"));
    }
    if (path.starts_with('#')) path = "./" + path;  // otherwise it would be a comment
    const auto playlist = std::ranges::find(playlists_, answer.label, &Playlist::label);
    const auto seconds = static_cast<int64_t>(std::lround(answer.end));
    playlist->text += fmt::format("#EXTINF:{},{}\n{}\n", seconds, one_line(input.path.stem().string()), path);
  }

  void finish() override {
    make_folders(folder_);
    for (const Playlist& playlist : playlists_) write_file_atomically(folder_ / playlist.file, playlist.text);
  }

 private:
  struct Playlist {
    std::string label;
    fs::path file;
    std::string text;
  };

  fs::path folder_, base_;
  std::function<void(const std::string&)> warn_;
  OutputNames names_;
  std::vector<Playlist> playlists_;
};

}  // namespace

std::unique_ptr<PredictionWriter> playlist_writer(const fs::path& folder, const std::vector<std::string>& labels,
                                                  std::function<void(const std::string&)> warn) {
  return std::make_unique<PlaylistWriter>(folder, labels, std::move(warn));
}

}  // namespace melgrad
