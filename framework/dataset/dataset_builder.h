// Collects the tracks of a data set.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "framework/dataset/dataset.h"

namespace melgrad {

class DatasetBuilder {
 public:
  // `source` is named by errors about the whole data set: the manifest, the table, or the root itself.
  DatasetBuilder(std::filesystem::path root, std::filesystem::path source) {
    dataset_.root = std::move(root);
    dataset_.source = std::move(source);
  }

  bool empty() const { return found_.empty(); }
  // Labels that differ only in their Unicode form are one label. Throws Error for text that cannot be a label.
  void add(Track track, const std::string& label);
  void warn(std::string line) { dataset_.warnings.push_back(std::move(line)); }
  // Sorts labels and tracks, and sets Track::label.
  Dataset finish() &&;

 private:
  Dataset dataset_;
  std::map<std::string, std::set<std::string>> labels_;  // in NFC; all forms in which each was given
  std::vector<std::pair<Track, std::string>> found_;
};

}  // namespace melgrad
