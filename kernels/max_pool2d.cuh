// The gradient of max pooling at one input element: shared by max_pool2d.cu and batch_norm_max_pool2d.cu.
#pragma once

#include "kernels/device/cuda.cuh"
#include "kernels/max_pool2d.h"

namespace melgrad::kernel::cuda {

// Adds dy, and second_dy unless it is null, of the windows that took input element (sample, row, column), for `width`
// channels from `channel` on.
template <class T, int width>
__device__ void gather_gradient(const T* dy, const T* second_dy, const uint8_t* taken, const Pool2d& pool,
                                int64_t sample, int input_row, int input_column, int64_t channel, float (&sum)[width]) {
  const int kernel_size = static_cast<int>(pool.kernel_size), stride = static_cast<int>(pool.stride);
  const int out_height = static_cast<int>(pool.out_height()), out_width = static_cast<int>(pool.out_width());
  const int row = input_row + static_cast<int>(pool.padding), column = input_column + static_cast<int>(pool.padding);
#pragma unroll 1  // unrolled, these loops spill registers on some architectures
  for (int out_row = max(0, (row - kernel_size + stride) / stride); out_row <= min(row / stride, out_height - 1);
       ++out_row) {
#pragma unroll 1
    for (int out_column = max(0, (column - kernel_size + stride) / stride);
         out_column <= min(column / stride, out_width - 1); ++out_column) {
      const int64_t pixel = (sample * out_height + out_row) * out_width + out_column;
      const int64_t element = pixel * pool.channels + channel;
      const auto position = load<width>(taken + element);
      const auto d = load<width>(dy + element);
      Vector<T, width> second;
      if (second_dy) second = load<width>(second_dy + element);
      const int here = (row - out_row * stride) * kernel_size + column - out_column * stride;
      for (int c = 0; c < width; ++c) {
        if (position[c] != here) continue;
        sum[c] += to_float(d[c]);
        if (second_dy) sum[c] += to_float(second[c]);
      }
    }
  }
}

}  // namespace melgrad::kernel::cuda
