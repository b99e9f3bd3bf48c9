// The parts into which the batch of a training step is cut. They are computed one after another (gradient
// accumulation), by several processes, or both.
#pragma once

#include <algorithm>
#include <cstdint>

namespace melgrad {

// Examples [first, first + count) of a batch.
struct StepPart {
  int64_t first = 0, count = 0;
};

// Part `index` of `parts` of a batch. The counts differ by at most one and the larger parts come first, so that only
// the last parts are empty if there are fewer examples than parts.
inline StepPart part_of_batch(int64_t examples, int64_t index, int64_t parts) {
  const int64_t least = examples / parts, larger = examples % parts;
  return {.first = index * least + std::min(index, larger), .count = least + (index < larger ? 1 : 0)};
}

}  // namespace melgrad
