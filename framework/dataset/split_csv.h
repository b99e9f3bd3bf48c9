// RUN/split.csv: path,label,split of every track of a run, so that an evaluation takes those that were held out and a
// resumed training those it began with.
#pragma once

#include <filesystem>

#include "framework/dataset/dataset.h"
#include "framework/dataset/split.h"

namespace melgrad {

// Throws Error when the file cannot be written.
void write_split_csv(const std::filesystem::path& file, const Dataset& dataset, const Split& split);

// The split that the file tells of, of a data set that may hold more tracks. Throws Error naming the file and the track
// that the data set lacks, or the line that is no record of a split.
Split read_split_csv(const std::filesystem::path& file, const Dataset& dataset);

}  // namespace melgrad
