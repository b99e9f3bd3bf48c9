#include "kernels/max_pool2d.h"

#include <algorithm>

namespace melgrad::kernel::cpu {
namespace {

constexpr int64_t channels_per_pass = 64;  // few enough for the running maxima to stay in the L1 cache

// The positions [begin, end) of a window at `start` that lie inside [0, extent).
struct Taps {
  int64_t begin, end;
  Taps(int64_t start, int64_t kernel_size, int64_t extent)
      : begin(std::max<int64_t>(0, -start)), end(std::min(kernel_size, extent - start)) {}
};

}  // namespace

void max_pool2d_forward(Stream&, const void* x, void* y, uint8_t* taken, DType dtype, Pool2d pool) {
  require_float32(dtype, "max_pool2d_forward");
  require_valid(pool);
  const auto* in = static_cast<const float*>(x);
  auto* out = static_cast<float*>(y);
  const int64_t channels = pool.channels, out_height = pool.out_height(), out_width = pool.out_width();

#pragma omp parallel for collapse(2) schedule(static)
  for (int64_t n = 0; n < pool.batch; ++n) {
    for (int64_t out_row = 0; out_row < out_height; ++out_row) {
      const int64_t top = out_row * pool.stride - pool.padding;
      const Taps rows(top, pool.kernel_size, pool.height);
      for (int64_t out_column = 0; out_column < out_width; ++out_column) {
        const int64_t left = out_column * pool.stride - pool.padding;
        const Taps columns(left, pool.kernel_size, pool.width);
        const int64_t target = ((n * out_height + out_row) * out_width + out_column) * channels;
        for (int64_t first = 0; first < channels; first += channels_per_pass) {
          const int64_t count = std::min(channels_per_pass, channels - first);
          float largest[channels_per_pass];
          int32_t position[channels_per_pass];
          const float* start =
              in + ((n * pool.height + top + rows.begin) * pool.width + left + columns.begin) * channels;
          std::copy_n(start + first, count, largest);
          std::fill_n(position, count, static_cast<int32_t>(rows.begin * pool.kernel_size + columns.begin));
          for (int64_t i = rows.begin; i < rows.end; ++i) {
            for (int64_t j = columns.begin; j < columns.end; ++j) {
              const float* source = in + ((n * pool.height + top + i) * pool.width + left + j) * channels + first;
              const auto here = static_cast<int32_t>(i * pool.kernel_size + j);
#pragma omp simd
              for (int64_t c = 0; c < count; ++c) {
                const float value = source[c];
                const bool larger = (value > largest[c]) | (value != value);
                largest[c] = larger ? value : largest[c];
                position[c] = larger ? here : position[c];
              }
            }
          }
          std::copy_n(largest, count, out + target + first);
          for (int64_t c = 0; c < count; ++c) taken[target + first + c] = static_cast<uint8_t>(position[c]);
        }
      }
    }
  }
}

// Each row of dx gathers from the output rows whose windows cover it, so no two threads write the same element.
void max_pool2d_backward(Stream&, const void* dy, const uint8_t* taken, void* dx, DType dtype, Pool2d pool) {
  require_float32(dtype, "max_pool2d_backward");
  require_valid(pool);
  const auto* d_out = static_cast<const float*>(dy);
  auto* d_in = static_cast<float*>(dx);
  const int64_t channels = pool.channels, out_height = pool.out_height(), out_width = pool.out_width();

#pragma omp parallel for collapse(2) schedule(static)
  for (int64_t n = 0; n < pool.batch; ++n) {
    for (int64_t row = 0; row < pool.height; ++row) {
      float* target_row = d_in + (n * pool.height + row) * pool.width * channels;
      std::fill_n(target_row, pool.width * channels, 0.0f);
      const int64_t first_out =
          std::max<int64_t>(0, (row + pool.padding - pool.kernel_size + pool.stride) / pool.stride);
      const int64_t last_out = std::min(out_height - 1, (row + pool.padding) / pool.stride);
      for (int64_t out_row = first_out; out_row <= last_out; ++out_row) {
        const int64_t i = row - (out_row * pool.stride - pool.padding);
        for (int64_t out_column = 0; out_column < out_width; ++out_column) {
          const int64_t left = out_column * pool.stride - pool.padding;
          const Taps columns(left, pool.kernel_size, pool.width);
          const int64_t source = ((n * out_height + out_row) * out_width + out_column) * channels;
          for (int64_t j = columns.begin; j < columns.end; ++j) {
            const auto here = static_cast<uint8_t>(i * pool.kernel_size + j);
            float* target = target_row + (left + j) * channels;
#pragma omp simd
            for (int64_t c = 0; c < channels; ++c) {
              target[c] += taken[source + c] == here ? d_out[source + c] : 0.0f;
            }
          }
        }
      }
    }
  }
}

}  // namespace melgrad::kernel::cpu
