#include "kernels/max_pool2d.h"

#include <algorithm>

#include "kernels/device/parallel.h"

namespace melgrad::kernel::cpu {
namespace {

constexpr int64_t channels_per_pass = 64;  // few enough for the running maxima to stay in the L1 cache

// The positions [begin, end) of a window at `start` that lie inside [0, extent).
struct Taps {
  int64_t begin, end;
  Taps(int64_t start, int64_t kernel_size, int64_t extent)
      : begin(std::max<int64_t>(0, -start)), end(std::min(kernel_size, extent - start)) {}
};

// The maxima of one window, and their positions in it, for up to channels_per_pass channels. `in` is the first of these
// channels at the corner of the window, which may lie in the padding.
void pool_window(const float* in, const Pool2d& pool, Taps rows, Taps columns, int64_t channels, float* out,
                 uint8_t* taken) {
  float largest[channels_per_pass];
  int32_t position[channels_per_pass];
  std::copy_n(in + (rows.begin * pool.width + columns.begin) * pool.channels, channels, largest);
  std::fill_n(position, channels, static_cast<int32_t>(rows.begin * pool.kernel_size + columns.begin));
  for (int64_t i = rows.begin; i < rows.end; ++i) {
    for (int64_t j = columns.begin; j < columns.end; ++j) {
      const float* const source = in + (i * pool.width + j) * pool.channels;
      const auto here = static_cast<int32_t>(i * pool.kernel_size + j);
#pragma omp simd
      for (int64_t c = 0; c < channels; ++c) {
        const float value = source[c];
        const bool larger = (value > largest[c]) | (value != value);
        largest[c] = larger ? value : largest[c];
        position[c] = larger ? here : position[c];
      }
    }
  }
  std::copy_n(largest, channels, out);
  for (int64_t c = 0; c < channels; ++c) taken[c] = static_cast<uint8_t>(position[c]);
}

// target[c] += d_out[c] where the window took this position.
void add_taken(const float* d_out, const uint8_t* taken, uint8_t position, float* target, int64_t channels) {
#pragma omp simd
  for (int64_t c = 0; c < channels; ++c) target[c] += taken[c] == position ? d_out[c] : 0.0f;
}

}  // namespace

void max_pool2d_forward(Stream&, const void* x, void* y, uint8_t* taken, DType dtype, Pool2d pool) {
  require_float32(dtype, "max_pool2d_forward");
  require_valid(pool);
  const auto* in = static_cast<const float*>(x);
  auto* out = static_cast<float*>(y);
  const int64_t out_height = pool.out_height(), out_width = pool.out_width();
  const int64_t row_elements = out_width * pool.channels * pool.kernel_size * pool.kernel_size;
  for_each_row(pool.batch * out_height, row_elements, [=](int64_t row) {
    const int64_t image = row / out_height, top = row % out_height * pool.stride - pool.padding;
    const Taps rows(top, pool.kernel_size, pool.height);
    for (int64_t column = 0; column < out_width; ++column) {
      const int64_t left = column * pool.stride - pool.padding;
      const Taps columns(left, pool.kernel_size, pool.width);
      const int64_t corner = ((image * pool.height + top) * pool.width + left) * pool.channels;
      const int64_t target = (row * out_width + column) * pool.channels;
      for (int64_t first = 0; first < pool.channels; first += channels_per_pass) {
        pool_window(in + corner + first, pool, rows, columns, std::min(channels_per_pass, pool.channels - first),
                    out + target + first, taken + target + first);
      }
    }
  });
}

// Each row of dx gathers from the output rows whose windows cover it, so no two threads write the same element.
void max_pool2d_backward(Stream&, const void* dy, const uint8_t* taken, void* dx, DType dtype, Pool2d pool) {
  require_float32(dtype, "max_pool2d_backward");
  require_valid(pool);
  const auto* d_out = static_cast<const float*>(dy);
  auto* d_in = static_cast<float*>(dx);
  const int64_t out_height = pool.out_height(), out_width = pool.out_width(), row_elements = pool.width * pool.channels;
  for_each_row(pool.batch * pool.height, row_elements * pool.kernel_size, [=](int64_t image_row) {
    const int64_t image = image_row / pool.height, row = image_row % pool.height;
    float* const target_row = d_in + image_row * row_elements;
    std::fill_n(target_row, row_elements, 0.0f);
    const int64_t first_out = std::max<int64_t>(0, (row + pool.padding - pool.kernel_size + pool.stride) / pool.stride);
    const int64_t last_out = std::min(out_height - 1, (row + pool.padding) / pool.stride);
    for (int64_t out_row = first_out; out_row <= last_out; ++out_row) {
      const int64_t i = row - (out_row * pool.stride - pool.padding);
      for (int64_t out_column = 0; out_column < out_width; ++out_column) {
        const int64_t left = out_column * pool.stride - pool.padding;
        const Taps columns(left, pool.kernel_size, pool.width);
        const int64_t source = ((image * out_height + out_row) * out_width + out_column) * pool.channels;
        for (int64_t j = columns.begin; j < columns.end; ++j) {
          add_taken(d_out + source, taken + source, static_cast<uint8_t>(i * pool.kernel_size + j),
                    target_row + (left + j) * pool.channels, pool.channels);
        }
      }
    }
  });
}

}  // namespace melgrad::kernel::cpu
