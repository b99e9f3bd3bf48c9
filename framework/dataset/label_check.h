// Checks that every label of a data set can be learned and tested.
#pragma once

#include "framework/dataset/feature_cache.h"
#include "framework/dataset/split.h"
#include "framework/terminal/reporter.h"

namespace melgrad {

// `split` is the split before unreadable tracks were left out; `training` holds the training tracks that could be read.
// Throws Error when a label has no training track. Warns of labels that are absent from the validation or test side.
void check_labels(const Dataset& dataset, const Split& split, const Features& training, const Reporter& reporter);

}  // namespace melgrad
