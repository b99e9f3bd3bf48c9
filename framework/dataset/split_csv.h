// RUN/split.csv: path,label,split of every track of a run. Evaluation takes the held-out tracks from it, and a resumed
// training the tracks that it began with.
#pragma once

#include <filesystem>

#include "framework/dataset/dataset.h"
#include "framework/dataset/split.h"

namespace melgrad {

// Throws WriteError.
void write_split_csv(const std::filesystem::path& file, const Dataset& dataset, const Split& split);

// Reads a split of `dataset`, which may have more tracks than the file. Throws Error naming the file and the track that
// the data set lacks or the invalid line.
Split read_split_csv(const std::filesystem::path& file, const Dataset& dataset);

}  // namespace melgrad
