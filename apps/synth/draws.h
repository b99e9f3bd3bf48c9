// The random numbers of the composer: a Philox sequence. It is the same on every machine; the distributions of the
// standard library are not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/device/philox.h"

namespace melgrad::synth {

struct Range {
  float low = 0, high = 0;
};

class Draws {
 public:
  Draws(uint64_t seed, uint64_t stream) : seed_(seed), stream_(stream) {}

  uint32_t bits() {
    if (used_ == 4) {
      block_ = philox(seed_, counter_++, stream_);
      used_ = 0;
    }
    return block_.v[used_++];
  }

  float uniform() { return melgrad::uniform(bits()); }
  float within(Range range) { return range.low + (range.high - range.low) * uniform(); }
  bool chance(float probability) { return uniform() < probability; }
  int below(int n) { return static_cast<int>((uint64_t{bits()} * static_cast<uint64_t>(n)) >> 32); }

  // Triangular on [-1, 1], standard deviation 0.41.
  float around_zero() { return uniform() - uniform(); }

  template <class T>
  const T& pick(const std::vector<T>& choices) {
    return choices[static_cast<size_t>(below(static_cast<int>(choices.size())))];
  }

 private:
  uint64_t seed_, stream_, counter_ = 0;
  Philox4 block_{};
  int used_ = 4;
};

// White noise on [-1, 1) from a linear congruential generator with the constants of Numerical Recipes. It takes about a
// nanosecond per sample.
class Noise {
 public:
  explicit Noise(uint32_t seed) : state_(seed) {}

  float next() {
    state_ = state_ * 1664525u + 1013904223u;
    return static_cast<float>(static_cast<int32_t>(state_)) * 0x1p-31f;
  }

 private:
  uint32_t state_;
};

}  // namespace melgrad::synth
