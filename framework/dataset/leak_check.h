// Finds recordings that are on two sides of a split.
#pragma once

#include <vector>

#include "framework/dataset/duplicates.h"
#include "framework/dataset/feature_loader.h"
#include "framework/dataset/split.h"

namespace melgrad {

// Compares the fingerprints of all tracks of a split. `training` and `validation` are loaded already; the features of
// the test tracks are extracted here, and a later evaluation finds them in the cache. Warns of each leak; if
// request.strict, throws Error instead.
std::vector<Leak> check_leaks(const Dataset& dataset, const Split& split, const Features& training,
                              const Features& validation, const FeatureRequest& request, const Reporter& reporter);

}  // namespace melgrad
