// Rung 2: the innermost loop runs over output channels, whose sums do not depend on each other: the compiler computes
// eight at a time, one in each lane of an AVX2 register. For that the filters are copied so that the same weight of all
// filters lies side by side. Every product now loads a sum from memory and stores it again.
#include <cstddef>
#include <vector>

#include "bench/ladder/ladder.h"

namespace melgrad::bench::ladder {

void channels_in_lanes(const float* x, const float* w, float* y, const Shape& s) {
  const int64_t taps = 9 * s.in_channels;
  std::vector<float> swapped(static_cast<size_t>(s.weights()));  // [3, 3, in_channels, out_channels]
  for (int64_t o = 0; o < s.out_channels; ++o) {
    for (int64_t k = 0; k < taps; ++k) swapped[static_cast<size_t>(k * s.out_channels + o)] = w[o * taps + k];
  }
  for (int64_t n = 0; n < s.batch; ++n) {
    for (int64_t i = 0; i < s.height; ++i) {
      for (int64_t j = 0; j < s.width; ++j) {
        float* const sums = y + ((n * s.height + i) * s.width + j) * s.out_channels;
        for (int64_t o = 0; o < s.out_channels; ++o) sums[o] = 0;
        for (int64_t tap = 0; tap < 9; ++tap) {
          const int64_t row = i + tap / 3 - 1, column = j + tap % 3 - 1;
          if (row < 0 || row >= s.height || column < 0 || column >= s.width) continue;
          const float* const pixel = x + ((n * s.height + row) * s.width + column) * s.in_channels;
          for (int64_t c = 0; c < s.in_channels; ++c) {
            const float* const weights = swapped.data() + (tap * s.in_channels + c) * s.out_channels;
#pragma omp simd
            for (int64_t o = 0; o < s.out_channels; ++o) sums[o] += weights[o] * pixel[c];
          }
        }
      }
    }
  }
}

}  // namespace melgrad::bench::ladder
