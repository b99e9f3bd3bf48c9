// Which tracks train, which validate and which test. Tracks are split, never their segments; where tracks have a group
// (the artist), whole groups are. Within that the classes' shares are kept as near as possible.
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
  double validation_fraction = 0.2;  // of the tracks that do not test
  double test_fraction = 0.0;        // of all tracks; not used with a fold or a split column
  std::optional<int> fold;           // hold out this fold as the test tracks
  int folds = 0;                     // number of folds where the data set brings none; 0: it brings them
};

// With options.fold: that fold tests, of the data set's own folds where it has them, else of options.folds seeded ones.
// Else, where tracks have Track::split: that; validation tracks are drawn from the training tracks when none are named.
// Else: test and validation tracks are drawn. Every draw is a pure function of the seed and the sorted tracks, the same
// on every machine; a class's n tracks are dealt n * fraction rounded to the nearest where there are no groups.
// Throws Error: fewer than two labels, a fold that there is not, a fraction outside [0, 1), a part asked for that comes
// out empty, a fold or a split column with tracks that have none, and what check_disjoint throws.
Split make_split(const Dataset& dataset, const SplitOptions& options);

// Throws Error naming a track or a group that lies on two sides.
void check_disjoint(const Dataset& dataset, const Split& split);

}  // namespace melgrad
