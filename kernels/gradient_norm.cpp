#include "kernels/gradient_norm.h"

#include <cmath>

#include "kernels/parallel.h"

namespace melgrad::kernel::cpu {

void gradient_norm(Stream&, const GradientSlot* slots, int64_t count, float max_norm, float* norm, float* scale) {
  double squares = 0;
  for (int64_t slot = 0; slot < count; ++slot) {
    const float* const gradient = slots[slot].gradient;
    squares += chunked_sum(slots[slot].n, 16384, [&](int64_t begin, int64_t end) {
      // A few sums side by side, because one would wait for each addition before the next.
      constexpr int64_t width = 8;
      double lanes[width] = {};
      for (int64_t i = begin; i < end; i += width) {
        for (int64_t lane = 0; lane < std::min(width, end - i); ++lane) {
          const double value = static_cast<double>(gradient[i + lane]);
          lanes[lane] += value * value;
        }
      }
      double sum = 0;
      for (const double lane : lanes) sum += lane;
      return sum;
    });
  }
  *norm = static_cast<float>(std::sqrt(squares));
  const float factor = max_norm / (*norm + 1e-6f);
  *scale = max_norm > 0 && !(factor > 1) ? factor : 1.0f;
}

}  // namespace melgrad::kernel::cpu
