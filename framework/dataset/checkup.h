// Listens to every track of a data set and looks for problems.
#pragma once

#include <map>
#include <vector>

#include "framework/dataset/audio_cache.h"
#include "framework/dataset/dataset_check.h"
#include "framework/terminal/reporter.h"
#include "kernels/device/stream.h"

namespace melgrad {

struct Checkup {
  std::vector<AudioSurvey> surveys;  // of dataset.tracks
  std::vector<Finding> findings;
};

// Decodes all tracks on the threads of the pool and compares their fingerprints, whose features are in the cache.
// Throws what extract_prints throws.
Checkup check_up(const Dataset& dataset, const CheckLimits& limits, const CacheSettings& cache, Device device,
                 const Reporter& reporter);

// The number of readable tracks of each sample rate in Hz.
std::map<int, int64_t> tracks_of_rate(std::span<const AudioSurvey> surveys);

}  // namespace melgrad
