// Music with labels: which files there are, what each is, and what the maker of the set says about how to split them.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace melgrad {

constexpr size_t most_labels = 1000;  // each is an output of a model; a confusion matrix has their square

struct Track {
  std::filesystem::path path;
  std::string name;         // relative to the root, '/'-separated: what users see
  int label = 0;            // index into Dataset::labels
  std::string group;        // tracks of one group (artist) never lie on two sides of a split; empty: none
  std::optional<int> fold;  // from 0
  std::string split;        // "", "train", "validation" or "test"
};

struct Dataset {
  std::filesystem::path root;
  std::filesystem::path source;       // the manifest, or the folder: what an error about all tracks names
  std::vector<std::string> labels;    // sorted
  std::vector<Track> tracks;          // sorted by name
  std::vector<std::string> warnings;  // a line each, for the user to see: what was left out and why
};

// Reads one of:
//   a folder of genre folders, ROOT/<genre>/**/<track>.wav, or one that holds such a folder under GTZAN's names
//   (genres, genres_original, Data/genres_original);
//   a manifest: a .csv file, or the manifest.csv in a folder, whose first line names its columns:
//   path,label[,group][,fold][,split] in any order; other columns are passed over. A path is relative to the manifest's
//   folder; whether it exists is seen when the audio is read.
// Hidden files and files that are not audio by their extension are passed over; AAC and its like are left out with a
// warning.
// Throws Error with file:line: a missing column, a value that is none, a path listed twice, nothing found, or more than
// most_labels.
Dataset load_dataset(const std::filesystem::path& path);

// By its extension: one that the decoder reads.
bool is_audio_file(const std::filesystem::path& path);

// The reason why `label` cannot name a class: it is empty, too long, not UTF-8 or holds control characters. Empty: it
// can.
std::string why_no_label(std::string_view label);

// "train", "validation" or "test" for each of the names in use ("val", "valid", "testing"...); "" for another word.
std::string_view split_name(std::string_view word);

}  // namespace melgrad
