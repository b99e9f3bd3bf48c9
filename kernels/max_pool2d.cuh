// The gradient of max pooling at one input element: shared by max_pool2d.cu and batch_norm_max_pool2d.cu.
#pragma once

#include "kernels/device/cuda.cuh"
#include "kernels/max_pool2d.h"

namespace melgrad::kernel::cuda {

// Adds dy of the windows that took input element (sample, row, column), for `width` channels from `channel` on.
template <class T, int width>
__device__ void gather_gradient(const T* dy, const uint8_t* taken, const Pool2d& pool, int64_t sample, int input_row,
                                int input_column, int64_t channel, float (&sum)[width]) {
  const int kernel_size = static_cast<int>(pool.kernel_size), stride = static_cast<int>(pool.stride);
  const int out_height = static_cast<int>(pool.out_height()), out_width = static_cast<int>(pool.out_width());
  const int row = input_row + static_cast<int>(pool.padding), column = input_column + static_cast<int>(pool.padding);
  for (int out_row = max(0, (row - kernel_size + stride) / stride); out_row <= min(row / stride, out_height - 1);
       ++out_row) {
#pragma unroll 1  // unrolled, the float kernel spills registers on sm_80
    for (int out_column = max(0, (column - kernel_size + stride) / stride);
         out_column <= min(column / stride, out_width - 1); ++out_column) {
      const int64_t pixel = (sample * out_height + out_row) * out_width + out_column;
      const auto position = load<width>(taken + pixel * pool.channels + channel);
      const auto d = load<width>(dy + pixel * pool.channels + channel);
      const int here = (row - out_row * stride) * kernel_size + column - out_column * stride;
      for (int c = 0; c < width; ++c) {
        if (position[c] == here) sum[c] += to_float(d[c]);
      }
    }
  }
}

}  // namespace melgrad::kernel::cuda
