// Known faults of single tracks of GTZAN (Sturm, "The GTZAN dataset: its contents, its faults, their effects on
// evaluation, and its future use", arXiv:1306.1461, 2013).
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "framework/dataset/dataset.h"

namespace melgrad {

struct KnownFault {
  size_t track;  // index into Dataset::tracks
  std::string fault;
};

// The known faults of the data set's tracks, in the order of the tracks. Empty if the data set is not GTZAN. Other data
// sets use the same file names, so GTZAN is recognised by its ten labels and at least 900 of its 1000 tracks.
std::vector<KnownFault> known_gtzan_faults(const Dataset& dataset);

}  // namespace melgrad
