// Fingerprints of the tracks of a data set.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "framework/dataset/duplicates.h"
#include "framework/terminal/progress.h"

namespace melgrad {

std::vector<TrackPrint> make_prints(std::span<const TrackFeatures> features, const MelSettings& settings);

struct TrackPrints {
  std::vector<TrackPrint> prints;  // of the tracks that could be read, in the order requested
  std::string note;                // for the user: why the cache could not be written; empty if it could
};

// Calls extract_features on a few tracks at a time, so that memory grows with the fingerprints, not the spectrograms.
// Throws what extract_features throws.
TrackPrints extract_prints(const Dataset& dataset, std::span<const size_t> tracks, const MelSettings& settings,
                           const std::filesystem::path& cache_folder, Progress& progress, Device device);

}  // namespace melgrad
