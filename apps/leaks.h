// The leak check that every training begins with.
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "apps/features.h"
#include "framework/dataset/duplicates.h"
#include "framework/dataset/split.h"

namespace melgrad {

// Compares the tracks of the split's sides: those already loaded, and the test tracks, whose features it extracts (a
// later evaluation finds them in the cache). A recording on two sides is a warning on stderr that names both files;
// under --strict it is an Error.
std::vector<Leak> warn_of_leaks(const Dataset& dataset, const Split& split, const Features& training,
                                const Features& validating, const MelSettings& settings, const FeatureOptions& options,
                                const OutputOptions& output, Device device);

nlohmann::ordered_json to_json(const std::vector<Leak>& leaks, const Dataset& dataset);

}  // namespace melgrad
