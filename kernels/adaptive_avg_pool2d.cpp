#include "kernels/adaptive_avg_pool2d.h"

#include "kernels/device/parallel.h"

namespace melgrad::kernel::cpu {
namespace {

// Calls body(input pixel, output pixel, 1 / size of the window) for every pixel of every window of an image.
template <class Body>
void for_each_pixel(const AdaptivePool2d& pool, Body body) {
  for (int64_t i = 0; i < pool.out_height; ++i) {
    const AdaptiveWindow rows(i, pool.height, pool.out_height);
    for (int64_t j = 0; j < pool.out_width; ++j) {
      const AdaptiveWindow columns(j, pool.width, pool.out_width);
      const float share = 1.0f / static_cast<float>(rows.size() * columns.size());
      for (int64_t row = rows.begin; row < rows.end; ++row) {
        for (int64_t column = columns.begin; column < columns.end; ++column) {
          body(row * pool.width + column, i * pool.out_width + j, share);
        }
      }
    }
  }
}

// to[0..channels) += share * from[0..channels)
void accumulate(const float* from, float share, float* to, int64_t channels) {
#pragma omp simd
  for (int64_t channel = 0; channel < channels; ++channel) to[channel] += share * from[channel];
}

}  // namespace

void adaptive_avg_pool2d_forward(Stream& stream, const void* x, void* y, DType dtype, AdaptivePool2d pool) {
  require_float32(dtype, "adaptive_avg_pool2d_forward");
  const int64_t in_size = pool.height * pool.width * pool.channels;
  const int64_t out_size = pool.out_height * pool.out_width * pool.channels;
  stream.zero(y, static_cast<size_t>(pool.batch * out_size) * sizeof(float));
  for_each_row(pool.batch, in_size, [&](int64_t image) {
    const float* const in = static_cast<const float*>(x) + image * in_size;
    float* const out = static_cast<float*>(y) + image * out_size;
    for_each_pixel(pool, [&](int64_t from, int64_t to, float share) {
      accumulate(in + from * pool.channels, share, out + to * pool.channels, pool.channels);
    });
  });
}

void adaptive_avg_pool2d_backward(Stream& stream, const void* dy, void* dx, DType dtype, AdaptivePool2d pool) {
  require_float32(dtype, "adaptive_avg_pool2d_backward");
  const int64_t in_size = pool.height * pool.width * pool.channels;
  const int64_t out_size = pool.out_height * pool.out_width * pool.channels;
  stream.zero(dx, static_cast<size_t>(pool.batch * in_size) * sizeof(float));
  for_each_row(pool.batch, in_size, [&](int64_t image) {
    const float* const d_out = static_cast<const float*>(dy) + image * out_size;
    float* const d_in = static_cast<float*>(dx) + image * in_size;
    for_each_pixel(pool, [&](int64_t to, int64_t from, float share) {
      accumulate(d_out + from * pool.channels, share, d_in + to * pool.channels, pool.channels);
    });
  });
}

}  // namespace melgrad::kernel::cpu
