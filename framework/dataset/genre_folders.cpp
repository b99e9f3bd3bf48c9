#include "framework/dataset/genre_folders.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <map>
#include <optional>
#include <set>

#include "framework/dataset/dataset_builder.h"
#include "framework/dataset/folder_walk.h"
#include "framework/io/file_text.h"
#include "kernels/device/error.h"

namespace melgrad {
namespace {

namespace fs = std::filesystem;

// The number of a folder such as fold1, Fold_02 or "split 3".
std::optional<int> fold_number(const std::string& name) {
  std::string text = lower_case(name);
  if (!text.starts_with("fold") && !text.starts_with("split")) return std::nullopt;
  text.erase(0, text.starts_with("fold") ? 4 : 5);
  text.erase(0, std::min(text.find_first_not_of(" _-"), text.size()));
  int number = 0;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, number);
  return error == std::errc() && end == last ? std::optional(number) : std::nullopt;
}

// cd1, "Disc 2", 03: folders of one album, which say nothing about the layout of a data set.
bool is_volume(const std::string& name) {
  std::string text = lower_case(name);
  for (const std::string_view word : {"cd", "disc", "disk", "vol", "volume", "part", "side"}) {
    if (text.starts_with(word)) {
      text.erase(0, word.size());
      break;
    }
  }
  return std::ranges::all_of(text,
                             [](char byte) { return (byte >= '0' && byte <= '9') || byte == ' ' || byte == '_'; });
}

// The folder of genre folders: `folder` itself, or a folder in it that has a name used by downloads of GTZAN.
fs::path find_genres(const fs::path& folder) {
  for (const char* name : {"genres_original", "genres", "Data/genres_original"}) {
    const fs::path candidate = folder / name;
    std::error_code ignored;
    if (!fs::is_directory(candidate, ignored)) continue;
    const bool has_folders =
        std::any_of(fs::directory_iterator(candidate, ignored), fs::directory_iterator(),
                    [](const auto& entry) { return entry.is_directory() && !is_hidden(entry.path()); });
    if (has_folders) return candidate;
  }
  return folder;
}

// The audio files of a data set by the folders of their paths.
struct Tree {
  fs::path root;
  std::vector<fs::path> files;                         // relative to the root
  std::map<std::string, std::set<std::string>> below;  // the folders in each top folder that holds audio
  size_t outside = 0;                                  // files directly in the root
  std::map<std::string, size_t> direct;                // files directly in each top folder
};

Tree make_tree(const fs::path& root, const FolderListing& listing) {
  Tree tree{.root = root};
  for (const fs::path& file : listing.audio) {
    const fs::path relative = file.lexically_relative(root);
    const auto depth = std::distance(relative.begin(), relative.end());
    const std::string top = relative.begin()->string();
    if (depth == 1) {
      ++tree.outside;
      continue;
    }
    tree.files.push_back(relative);
    auto& folders = tree.below[top];
    if (depth == 2) ++tree.direct[top];
    if (depth > 2) folders.insert(std::next(relative.begin())->string());
  }
  return tree;
}

std::vector<std::string> top_folders(const Tree& tree) {
  std::vector<std::string> names;
  for (const auto& [name, folders] : tree.below) names.push_back(name);
  return names;
}

std::string ways_out(const Tree& tree) {
  return fmt::format(
      "the genres must be the folders, e.g. {0}/<genre>/<track>.wav, {0}/train/<genre>/<track>.wav or "
      "{0}/fold1/<genre>/<track>.wav; otherwise give a table of labels (--labels FILE) or a manifest.csv",
      tree.root.filename().string());
}

// Splits or folds must be the only folders, and tracks directly in them have no genre.
void require_genres_inside(const Tree& tree, const char* what, int64_t count) {
  const std::string names = fmt::format("{}", fmt::join(top_folders(tree), ", "));
  if (count < std::ssize(tree.below)) {
    fail("{} has folders of {} beside others ({}); {}", tree.root.string(), what, names, ways_out(tree));
  }
  if (tree.direct.empty()) return;
  const auto& [name, tracks] = *tree.direct.begin();
  fail("{} consists of {} ({}), but {} tracks lie directly in {} and have no genre; {}", tree.root.string(), what,
       names, tracks, name, ways_out(tree));
}

enum class Layout { genres, splits, folds };

Layout find_layout(const Tree& tree) {
  int64_t splits = 0, folds = 0;
  bool has_training = false;
  for (const std::string& name : top_folders(tree)) {
    const std::string_view split = split_name(lower_case(name));
    splits += !split.empty();
    folds += fold_number(name).has_value();
    has_training = has_training || split == "train";
  }
  if (has_training && splits > 1) {
    require_genres_inside(tree, "splits", splits);
    return Layout::splits;
  }
  if (folds > 1) {
    require_genres_inside(tree, "folds", folds);
    return Layout::folds;
  }
  return Layout::genres;
}

// Folders that all hold the same folders are not genres but, for example, batches of a download.
void require_different_folders(const Tree& tree) {
  if (tree.below.size() < 2 || !tree.direct.empty()) return;
  const std::set<std::string>& first = tree.below.begin()->second;
  const bool all_equal = std::ranges::all_of(tree.below, [&](const auto& entry) { return entry.second == first; });
  if (!all_equal || first.size() < 2 || std::ranges::all_of(first, is_volume)) return;
  fail("all folders of {} ({}) hold the same folders ({}), so these seem to be the genres; {}", tree.root.string(),
       fmt::join(top_folders(tree), ", "), fmt::join(first, ", "), ways_out(tree));
}

void add_tracks(const Tree& tree, Layout layout, DatasetBuilder& dataset) {
  for (const fs::path& file : tree.files) {
    Track track{.path = tree.root / file, .name = file.generic_string()};
    auto part = file.begin();
    if (layout == Layout::splits) track.split = split_name(lower_case((part++)->string()));
    if (layout == Layout::folds) track.fold = fold_number((part++)->string());
    dataset.add(std::move(track), part->string());
  }
}

// Folders of the root that hold no audio.
void warn_of_empty_folders(const Tree& tree, DatasetBuilder& dataset) {
  std::set<fs::path> names;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(tree.root, ignored)) {
    if (entry.is_directory(ignored) && !entry.is_symlink(ignored) && !is_hidden(entry.path()))
      names.insert(entry.path());
  }
  for (const fs::path& folder : names) {
    if (tree.below.contains(folder.filename().string())) continue;
    dataset.warn(fmt::format("{} holds no audio that can be read; it is left out", folder.string()));
  }
}

}  // namespace

Dataset load_genre_folders(const fs::path& folder) {
  const fs::path root = find_genres(folder);
  const FolderListing listing = list_audio(root);
  const Tree tree = make_tree(root, listing);
  const std::string account = listing.account(root);
  if (tree.files.empty()) {
    fail("{}: no audio in genre folders; {}/<genre>/<track>.wav or a manifest.csv is expected{}", folder.string(),
         folder.filename().empty() ? folder.parent_path().filename().string() : folder.filename().string(),
         account.empty() ? "" : " (" + account + ")");
  }
  const Layout layout = find_layout(tree);
  if (layout == Layout::genres) require_different_folders(tree);
  DatasetBuilder dataset(root, root);
  add_tracks(tree, layout, dataset);
  warn_of_empty_folders(tree, dataset);
  if (!account.empty()) dataset.warn(account);
  if (tree.outside > 0) {
    dataset.warn(fmt::format("audio files directly in {}, outside the genre folders, are left out: {}", root.string(),
                             tree.outside));
  }
  return std::move(dataset).finish();
}

}  // namespace melgrad
