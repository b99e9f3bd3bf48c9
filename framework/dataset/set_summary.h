// The results of one pass over all features of a set, which a training needs before its first step: their statistics,
// and the recordings that are on two sides of the split. The cache keeps them.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "framework/dataset/duplicates.h"
#include "framework/dataset/feature_loader.h"
#include "framework/dataset/standardisation.h"

namespace melgrad {

struct SetSummary {
  Standardisation standardisation;  // of the training tracks
  float lowest = 0, highest = 0;    // of their features, in dB
  std::vector<Leak> leaks;
};

struct SplitFeatures {
  Features training, validation, test;
};

// Reads all features, a few at a time, on the threads of the pool, and compares those of the cache with their hashes;
// damaged ones are computed again. Or takes the summary of the same files and settings from the cache, and reads none.
SetSummary summarise(const Dataset& dataset, const Split& split, SplitFeatures& features, const FeatureRequest& request,
                     const Reporter& reporter);

// The features of a track whose cache entry is damaged, computed again.
MelClip reload(const Dataset& dataset, size_t track, const FeatureRequest& request, const Reporter& reporter);

}  // namespace melgrad
