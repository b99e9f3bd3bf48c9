// A split given as lists of tracks, such as the fault-filtered split of GTZAN (Kereliuk, Sturm and Larsen 2015):
// train_filtered.txt, valid_filtered.txt and test_filtered.txt.
#pragma once

#include <filesystem>

#include "framework/dataset/dataset.h"

namespace melgrad {

// Sets Track::split from the text files in `folder` whose names start with train, val or test, with one track per line.
// A line gives the end of a track's name, with or without an audio extension: blues/blues.00029.wav,
// genres/blues/blues.00029.au and blues.00029 are the same track. Tracks on no list are removed from the data set; a
// listed track that the data set lacks gives a warning. Throws Error for a missing train or test list, two lists for
// one side, a track listed twice, a line that matches several tracks, and lists without any track of the data set.
void apply_split_files(Dataset& dataset, const std::filesystem::path& folder);

}  // namespace melgrad
