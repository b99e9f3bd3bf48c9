// The leak check at the start of every training.
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "apps/features.h"
#include "framework/dataset/duplicates.h"
#include "framework/dataset/split.h"

namespace melgrad {

// Looks for recordings that are on two sides of the split. Extracts the features of the test tracks; a later evaluation
// finds them in the cache. Each leak gives a warning on stderr that names both files. Throws Error for a leak if
// --strict is set.
std::vector<Leak> warn_of_leaks(const Dataset& dataset, const Split& split, const Features& training,
                                const Features& validating, const MelSettings& settings, const FeatureOptions& options,
                                const OutputOptions& output, Device device);

nlohmann::ordered_json to_json(const std::vector<Leak>& leaks, const Dataset& dataset);

}  // namespace melgrad
