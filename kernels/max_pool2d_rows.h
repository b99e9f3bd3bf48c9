// Max pooling on the CPU, one image row at a time: shared by max_pool2d.cpp and batch_norm_max_pool2d.cpp.
#pragma once

#include <algorithm>

#include "kernels/max_pool2d.h"

namespace melgrad::kernel::cpu {

inline constexpr int64_t channels_per_pass = 64;  // few enough for the running maxima to stay in the L1 cache

// The positions [begin, end) of a window at `start` that lie inside [0, extent).
struct Taps {
  int64_t begin, end;
  Taps(int64_t start, int64_t kernel_size, int64_t extent)
      : begin(std::max<int64_t>(0, -start)), end(std::min(kernel_size, extent - start)) {}
};

// The maxima of one window, and their positions in it, for up to channels_per_pass channels. `in` is the first of these
// channels at the corner of the window, which may lie in the padding.
inline void pool_window(const float* in, const Pool2d& pool, Taps rows, Taps columns, int64_t channels, float* out,
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
inline void add_taken(const float* d_out, const uint8_t* taken, uint8_t position, float* target, int64_t channels) {
#pragma omp simd
  for (int64_t c = 0; c < channels; ++c) target[c] += taken[c] == position ? d_out[c] : 0.0f;
}

// Row `row` of batch * out_height output rows, from the input rows of its windows. `top_row` would be the uppermost of
// them; it may lie above the image, and is then not read.
inline void pool_row(const float* top_row, const Pool2d& pool, int64_t row, float* out, uint8_t* taken) {
  const int64_t out_width = pool.out_width(), top = row % pool.out_height() * pool.stride - pool.padding;
  const Taps rows(top, pool.kernel_size, pool.height);
  for (int64_t column = 0; column < out_width; ++column) {
    const int64_t left = column * pool.stride - pool.padding;
    const Taps columns(left, pool.kernel_size, pool.width);
    for (int64_t first = 0; first < pool.channels; first += channels_per_pass) {
      const int64_t target = column * pool.channels + first;
      pool_window(top_row + left * pool.channels + first, pool, rows, columns,
                  std::min(channels_per_pass, pool.channels - first), out + target, taken + target);
    }
  }
}

// Row `image_row` of batch * height rows of dx: adds dy to `target` [width, channels] where a window took the element.
inline void gather_row(const float* dy, const uint8_t* taken, const Pool2d& pool, int64_t image_row, float* target) {
  const int64_t out_height = pool.out_height(), out_width = pool.out_width();
  const int64_t image = image_row / pool.height, row = image_row % pool.height;
  const int64_t first_out = std::max<int64_t>(0, (row + pool.padding - pool.kernel_size + pool.stride) / pool.stride);
  const int64_t last_out = std::min(out_height - 1, (row + pool.padding) / pool.stride);
  for (int64_t out_row = first_out; out_row <= last_out; ++out_row) {
    const int64_t i = row - (out_row * pool.stride - pool.padding);
    for (int64_t out_column = 0; out_column < out_width; ++out_column) {
      const int64_t left = out_column * pool.stride - pool.padding;
      const Taps columns(left, pool.kernel_size, pool.width);
      const int64_t source = ((image * out_height + out_row) * out_width + out_column) * pool.channels;
      for (int64_t j = columns.begin; j < columns.end; ++j) {
        add_taken(dy + source, taken + source, static_cast<uint8_t>(i * pool.kernel_size + j),
                  target + (left + j) * pool.channels, pool.channels);
      }
    }
  }
}

}  // namespace melgrad::kernel::cpu
