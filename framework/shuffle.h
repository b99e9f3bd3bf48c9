// The Fisher-Yates shuffle with Philox random numbers: one seed gives the same order on every machine. The order of
// std::shuffle depends on the standard library.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "kernels/device/philox.h"

namespace melgrad {

// Shuffles with one seed and different values of `draw` are independent. From 2^62 on, `draw` shares no Philox counter
// with a RandomStream of the same seed.
template <class T>
void shuffle(std::vector<T>& items, uint64_t seed, uint64_t draw) {
  for (size_t i = items.size(); i > 1; --i) {
    const uint64_t bits = philox(seed, i, draw).v[0];
    std::swap(items[i - 1], items[static_cast<size_t>(bits * i >> 32)]);
  }
}

}  // namespace melgrad
