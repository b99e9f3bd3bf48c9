// Fisher and Yates's shuffle by Philox: the same order for a seed on every machine. The standard library's differs from
// one implementation to the next.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "kernels/device/philox.h"

namespace melgrad {

// `draw` tells apart the shuffles of one seed. Those from 2^62 up share no counter with a RandomStream of the same
// seed.
template <class T>
void shuffle(std::vector<T>& items, uint64_t seed, uint64_t draw) {
  for (size_t i = items.size(); i > 1; --i) {
    const uint64_t bits = philox(seed, i, draw).v[0];
    std::swap(items[i - 1], items[static_cast<size_t>(bits * i >> 32)]);
  }
}

}  // namespace melgrad
