// What is known to be wrong with single tracks of GTZAN (Sturm, "The GTZAN dataset: its contents, its faults, their
// effects on evaluation, and its future use", arXiv:1306.1461, 2013).
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

// The faults of the tracks at hand, in their order. Nothing where the data set is not GTZAN: other sets use its names,
// so it takes its ten labels and at least nine tenths of its thousand tracks.
std::vector<KnownFault> known_gtzan_faults(const Dataset& dataset);

}  // namespace melgrad
