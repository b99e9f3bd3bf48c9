// Chooses how a data set is split.
#pragma once

#include <filesystem>

#include "framework/dataset/dataset.h"
#include "framework/dataset/split.h"

namespace melgrad {

struct SplitRequest {
  SplitOptions options;
  std::filesystem::path split_files;  // folder of the lists that apply_split_files reads; empty: none
  std::filesystem::path split_csv;    // the split of a run that is resumed; empty: a new split
};

// The split of a resumed run is read from its split.csv. Otherwise, the lists of split_files are applied to the data
// set, and make_split makes the split. Throws UsageError when a fraction of test tracks is requested although the data
// set defines its test tracks, and Error when no validation track remains.
Split choose_split(Dataset& dataset, const SplitRequest& request);

}  // namespace melgrad
