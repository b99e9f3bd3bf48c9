// A data set: audio files with labels and, if the data set defines them, groups, folds and splits.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace melgrad {

constexpr size_t most_labels = 1000;  // a model has one output per label, a confusion matrix their square

struct Track {
  std::filesystem::path path;
  std::string name;         // relative to the root, '/'-separated; shown to users
  int label = 0;            // index into Dataset::labels
  std::string group;        // tracks of one group (artist) never lie on two sides of a split; empty: none
  std::optional<int> fold;  // from 0
  std::string split;        // "", "train", "validation" or "test"
};

struct Dataset {
  std::filesystem::path root;
  std::filesystem::path source;       // the manifest or the folder; named by errors about the whole data set
  std::vector<std::string> labels;    // sorted
  std::vector<Track> tracks;          // sorted by name
  std::vector<std::string> warnings;  // one line each, for the user: what was left out and why
};

// Names the files that define a data set.
struct DatasetSource {
  std::filesystem::path data;
  // A table with one line per track, for data sets that are distributed with one (ESC-50, UrbanSound8K, FMA); the audio
  // files lie below `data`. Empty: none.
  std::filesystem::path labels;
  std::string path_column, label_column, fold_column;  // of the table; empty: found by their usual names
};

// Without `labels`, reads one of:
//   a folder of genre folders, ROOT/<genre>/**/<track>.wav, also below train, val and test or fold1, fold2, ..., or a
//   folder that holds one under a name used by GTZAN (genres, genres_original, Data/genres_original);
//   a manifest: a .csv file, or the manifest.csv in a folder, whose first line names its columns:
//   path,label[,group][,fold][,split] in any order; other columns are ignored. A path is relative to the manifest's
//   folder. A file that does not exist is reported only when its audio is read.
// Labels are in Unicode's composed form (NFC). The warnings count the files and lines that are not taken. Throws Error,
// with file:line for a manifest: a missing column, an invalid value, a path listed twice, no tracks, or more than
// most_labels labels.
Dataset load_dataset(const DatasetSource& source);
inline Dataset load_dataset(const std::filesystem::path& data) { return load_dataset(DatasetSource{.data = data}); }

// The reason why `label` cannot name a class: it is empty, too long, not UTF-8 or holds control characters. Empty if it
// can.
std::string why_no_label(std::string_view label);

// "train", "validation" or "test" for a common name of a split ("val", "valid", "testing", ...); "" for any other word.
std::string_view split_name(std::string_view word);

}  // namespace melgrad
