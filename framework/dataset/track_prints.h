// The fingerprints of a data set's tracks, through the feature cache and in little memory.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "framework/dataset/duplicates.h"
#include "framework/terminal/progress.h"

namespace melgrad {

struct TrackPrints {
  std::vector<TrackPrint> prints;  // of the tracks that can be read, in the order asked for
  std::string note;                // for the user to see: why the cache could not be written; empty: it could
};

// As extract_features does it, which says what is thrown, but only a few spectrograms are held at a time.
TrackPrints extract_prints(const Dataset& dataset, std::span<const size_t> tracks, const MelSettings& settings,
                           const std::filesystem::path& cache_folder, Progress& progress, Device device);

}  // namespace melgrad
