// Loads the features of tracks and reports every file that was left out or read only in part.
#pragma once

#include <span>
#include <string>

#include "framework/dataset/feature_cache.h"
#include "framework/terminal/reporter.h"

namespace melgrad {

struct FeatureRequest {
  MelSettings mel;
  CacheSettings cache;
  bool strict = false;  // a file that cannot be read, or a leak, is an error
  Device device = Device::cpu;
};

// `what` labels the progress line. `check_later` is that of ExtractionOptions. Throws what extract_features and
// require_tracks throw.
Features load_features(const Dataset& dataset, std::span<const size_t> tracks, const FeatureRequest& request,
                       const Reporter& reporter, const std::string& what, bool check_later = false);

}  // namespace melgrad
