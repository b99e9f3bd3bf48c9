// Divides the tracks of a data set into training, validation and test tracks. Tracks are not divided, and tracks of one
// group (artist) stay together. Within these rules, the share of each class is as equal as possible on all sides.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "framework/dataset/dataset.h"

namespace melgrad {

// Indices into Dataset::tracks, ascending.
struct Split {
  std::vector<size_t> train, validation, test;
  bool operator==(const Split&) const = default;
};

struct SplitOptions {
  uint64_t seed = 0;
  double validation_fraction = 0.2;  // of the tracks that are not test tracks
  double test_fraction = 0.0;        // of all tracks; not used with a fold or a split column
  std::optional<int> fold;           // hold out this fold as the test tracks
  int folds = 0;                     // number of folds to make if the data set defines none; 0: make none
};

// With options.fold, the test tracks are that fold: one of the data set's folds if it defines any, otherwise one of
// options.folds random folds. Otherwise Track::split decides if any track has it. Otherwise the test tracks are drawn.
// Validation tracks are drawn from the training tracks unless Track::split names some. A draw depends only on the seed
// and the sorted tracks, so it is the same on every machine. Without groups, a class of n tracks gives n * fraction
// tracks, rounded to the nearest integer; if that leaves a part empty, one track each of some classes. Throws Error for
// fewer than two labels, a fold that does not exist, a fraction outside [0, 1), a requested part that would be empty,
// tracks without a fold or a split when others have one, and what check_disjoint throws.
Split make_split(const Dataset& dataset, const SplitOptions& options);

// The numbers that options.fold may have, ascending. options.folds and options.seed matter if the data set defines no
// folds. Throws Error as make_split does.
std::vector<int> fold_numbers(const Dataset& dataset, const SplitOptions& options);

// Throws Error naming a track or a group that is on two sides.
void check_disjoint(const Dataset& dataset, const Split& split);

}  // namespace melgrad
