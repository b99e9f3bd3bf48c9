#include "framework/dataset/folder_walk.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <deque>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

#include "framework/audio/format.h"
#include "framework/audio/tags.h"
#include "framework/io/file_text.h"
#include "kernels/device/error.h"

namespace melgrad {
namespace {

namespace fs = std::filesystem;

std::string lower_case_extension(const fs::path& path) { return lower_case(path.extension().string()); }

// Identifies a file or folder whatever its path.
using Identity = std::pair<dev_t, ino_t>;

class Walk {
 public:
  explicit Walk(fs::path root) : root_(std::move(root)) {}

  FolderListing run() && {
    std::error_code error;
    const fs::directory_iterator readable(root_, error);
    if (error) fail("cannot read the folder {}: {}", root_.string(), error.message());
    visit_folder(root_);
    for (; !links_.empty(); links_.pop_front()) follow(links_.front());
    std::ranges::sort(listing_.audio);
    return std::move(listing_);
  }

 private:
  void pass_over(const fs::path& entry, const std::string& kind) {
    PassedOver& passed = listing_.passed_over[kind];
    if (passed.count++ == 0) passed.example = entry.lexically_relative(root_).generic_string();
  }

  // Returns false if the entry does not exist or was visited before.
  bool remember(const fs::path& path) {
    struct stat status {};
    return stat(path.c_str(), &status) == 0 && seen_.emplace(status.st_dev, status.st_ino).second;
  }

  void visit_folder(const fs::path& folder) {
    if (!remember(folder)) return pass_over(folder, "links to folders that are listed already");
    std::error_code error;
    std::vector<fs::path> entries;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
      entries.push_back(entry->path());
    }
    if (error) return pass_over(folder, fmt::format("folders that cannot be read ({})", error.message()));
    std::ranges::sort(entries);
    for (const fs::path& entry : entries) visit(entry);
  }

  void visit(const fs::path& entry) {
    std::error_code error;
    const std::string name = entry.filename().string();
    // Written by melgrad itself, and by macOS, which `check` reports.
    if (name.starts_with(".melgrad") || name.starts_with("._")) return;
    if (is_hidden(entry)) return pass_over(entry, "hidden");
    const fs::file_status status = fs::symlink_status(entry, error);
    if (fs::is_symlink(status)) {
      links_.push_back(entry);
    } else if (fs::is_directory(status)) {
      visit_folder(entry);
    } else if (fs::is_regular_file(status)) {
      remember(entry);
      visit_file(entry);
    } else {
      pass_over(entry, "pipes and devices");
    }
  }

  void follow(const fs::path& link) {
    std::error_code error;
    const fs::file_status status = fs::status(link, error);
    if (error || !fs::exists(status)) {
      pass_over(link, error && error != std::errc::no_such_file_or_directory
                          ? fmt::format("links that cannot be followed ({})", error.message())
                          : "dangling links");
    } else if (fs::is_directory(status)) {
      visit_folder(link);
    } else if (!fs::is_regular_file(status)) {
      pass_over(link, "pipes and devices");
    } else if (remember(link)) {
      visit_file(link);
    } else {
      pass_over(link, "links to files that are listed already");
    }
  }

  void visit_file(const fs::path& file) {
    const std::string extension = lower_case_extension(file);
    if (is_readable_extension(extension) || has_audio(file)) {
      listing_.audio.push_back(file);
    } else {
      pass_over(file, extension.empty() ? "without extension" : extension);
    }
  }

  static bool has_audio(const fs::path& file) {
    try {
      return is_known_audio(without_tags(AudioFile(file)));
    } catch (const Error&) {
      return false;  // empty, or not readable
    }
  }

  fs::path root_;
  std::set<Identity> seen_;
  std::deque<fs::path> links_;  // to follow
  FolderListing listing_;
};

}  // namespace

std::string FolderListing::account(const fs::path& folder) const {
  std::string text;
  for (const auto& [kind, passed] : passed_over) {
    text += fmt::format("{}{} {} ({})", text.empty() ? "" : ", ", passed.count, kind, passed.example);
  }
  return text.empty() ? "" : fmt::format("not taken below {}: {}", folder.string(), text);
}

FolderListing list_audio(const fs::path& folder) { return Walk(folder).run(); }

bool is_hidden(const fs::path& path) {
  constexpr std::string_view names[] = {"__MACOSX", "$RECYCLE.BIN", "System Volume Information"};
  const std::string name = path.filename().string();
  return name.starts_with('.') || std::ranges::find(names, name) != std::end(names);
}

bool is_audio_file(const fs::path& path) {
  return !is_hidden(path) && is_readable_extension(lower_case_extension(path));
}

}  // namespace melgrad
