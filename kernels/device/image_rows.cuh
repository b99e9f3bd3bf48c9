// Launch shapes for kernels with one thread per vector of channels of an NHWC image. A block computes part of one image
// row [columns, channels], so sample and row follow from blockIdx.x, once per block instead of once per thread.
#pragma once

#include <algorithm>

#include "kernels/device/cuda.cuh"

namespace melgrad::kernel::cuda {

constexpr int image_row_threads = 256;  // the largest block

// The output element of a thread.
struct Place {
  int64_t sample;
  int row, column, channel;
  bool inside;  // false in threads of the last block that lie beyond the row

  template <int width>
  __device__ static Place of_thread(int rows, int columns, int channels) {
    const int vectors = channels / width;
    const int i = static_cast<int>(blockIdx.y * blockDim.x + threadIdx.x);
    return {.sample = blockIdx.x / rows,
            .row = static_cast<int>(blockIdx.x % rows),
            .column = i / vectors,
            .channel = i % vectors * width,
            .inside = i < columns * vectors};
  }
};

// Calls body(grid, block) with the launch shape for `rows` image rows, those of all samples together. The blocks of a
// row share it evenly, so that few threads are idle. Throws Error, which begins with `kernel_name`, if the grid would
// be too large.
template <class Body>
void over_image_rows(const char* kernel_name, int64_t rows, int64_t vectors_in_row, Body body) {
  const auto blocks = std::max<int64_t>(1, ceil_divide<int64_t>(vectors_in_row, image_row_threads));
  const auto threads = ceil_divide(ceil_divide(vectors_in_row, blocks), int64_t{warp_size}) * warp_size;
  MELGRAD_CHECK(rows <= INT32_MAX && blocks <= 65535, "{}: {} rows of {} vectors are too many", kernel_name, rows,
                vectors_in_row);
  body(dim3(static_cast<unsigned>(rows), static_cast<unsigned>(blocks)), dim3(static_cast<unsigned>(threads)));
}

}  // namespace melgrad::kernel::cuda
