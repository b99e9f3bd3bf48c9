// Fingerprints of the tracks of a data set.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "framework/dataset/duplicates.h"
#include "framework/terminal/progress.h"

namespace melgrad {

struct TrackPrints {
  std::vector<TrackPrint> prints;  // of the tracks that could be read, in the order requested
  std::vector<std::string> notes;  // those of Features
};

// Calls extract_features. Memory grows with the fingerprints, not with the spectrograms. Throws what extract_features
// throws.
TrackPrints extract_prints(const Dataset& dataset, std::span<const size_t> tracks, const MelSettings& settings,
                           const CacheSettings& cache, Progress& progress, Device device);

}  // namespace melgrad
