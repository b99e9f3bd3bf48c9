// A split given as lists of tracks, such as the fault-filtered split of GTZAN (Kereliuk, Sturm and Larsen 2015):
// train_filtered.txt, valid_filtered.txt and test_filtered.txt.
#pragma once

#include <filesystem>

#include "framework/dataset/dataset.h"

namespace melgrad {

// Sets Track::split from the text files in `folder` whose names start with train, val or test, one track a line. A line
// names a track by the end of its name, with or without an audio extension: blues/blues.00029.wav,
// genres/blues/blues.00029.au and blues.00029 are one. Tracks that no list names are removed from the data set; a
// listed track that the data set lacks becomes a warning. Throws Error: no train list and no test list, two lists for
// one side, a track listed twice, a line that fits several tracks, lists that name no track of the data set.
void apply_split_files(Dataset& dataset, const std::filesystem::path& folder);

}  // namespace melgrad
