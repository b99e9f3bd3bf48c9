// Rung 1: the definition. The innermost loop is a sum, which the compiler may not reorder, because another order of
// floating-point additions gives another result. So it adds one product at a time and waits for each.
#include "bench/ladder/ladder.h"

namespace melgrad::bench::ladder {

namespace {

// Sum is the type of the sums.
template <class Sum>
void sum_terms(const float* x, const float* w, float* y, const Shape& s) {
  for (int64_t n = 0; n < s.batch; ++n) {
    for (int64_t i = 0; i < s.height; ++i) {
      for (int64_t j = 0; j < s.width; ++j) {
        for (int64_t o = 0; o < s.out_channels; ++o) {
          Sum sum = 0;
          for (int64_t p = 0; p < 3; ++p) {
            for (int64_t q = 0; q < 3; ++q) {
              const int64_t row = i + p - 1, column = j + q - 1;
              if (row < 0 || row >= s.height || column < 0 || column >= s.width) continue;
              const float* const pixel = x + ((n * s.height + row) * s.width + column) * s.in_channels;
              const float* const filter = w + ((o * 3 + p) * 3 + q) * s.in_channels;
              for (int64_t c = 0; c < s.in_channels; ++c) sum += static_cast<Sum>(filter[c]) * pixel[c];
            }
          }
          y[((n * s.height + i) * s.width + j) * s.out_channels + o] = static_cast<float>(sum);
        }
      }
    }
  }
}

}  // namespace

void seven_loops(const float* x, const float* w, float* y, const Shape& s) { sum_terms<float>(x, w, y, s); }
void seven_loops_in_double(const float* x, const float* w, float* y, const Shape& s) { sum_terms<double>(x, w, y, s); }

}  // namespace melgrad::bench::ladder
