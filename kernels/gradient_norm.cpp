#include "kernels/gradient_norm.h"

#include <cmath>

#include "kernels/device/low_precision.h"
#include "kernels/device/parallel.h"

namespace melgrad::kernel::cpu {
namespace {

template <class T>
double sum_of_squares(const T* gradient, int64_t n) {
  return chunked_sum(n, 16384, [&](int64_t begin, int64_t end) {
    // Independent sums, because a single one would wait for the latency of every addition.
    constexpr int64_t width = 8;
    double lanes[width] = {};
    for (int64_t i = begin; i < end; i += width) {
      for (int64_t lane = 0; lane < std::min(width, end - i); ++lane) {
        const double value = static_cast<double>(to_float(gradient[i + lane]));
        lanes[lane] += value * value;
      }
    }
    double sum = 0;
    for (const double lane : lanes) sum += lane;
    return sum;
  });
}

}  // namespace

void gradient_norm(Stream&, const GradientSlot* slots, int64_t count, ChunkTable, float max_norm, float* norm,
                   float* scale) {
  double squares = 0;
  for (int64_t s = 0; s < count; ++s) {
    const GradientSlot& slot = slots[s];
    squares += dispatch_type(slot.dtype,
                             [&]<class T>() { return sum_of_squares(static_cast<const T*>(slot.gradient), slot.n); });
  }
  *norm = static_cast<float>(std::sqrt(squares));
  *scale = clipping_factor(*norm, max_norm);
}

}  // namespace melgrad::kernel::cpu
