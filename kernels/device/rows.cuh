// Launch shapes for kernels over rows of items: blockIdx.x is the row, and the blocks along y share its items among
// their threads.
#pragma once

#include <algorithm>

#include "kernels/device/cuda.cuh"

namespace melgrad::kernel::cuda {

constexpr int row_threads = 256;

// The grid for blocks of row_threads threads, in which a thread takes about `items_per_thread` items.
inline dim3 row_grid(int64_t rows, int64_t items, int64_t items_per_thread = 1) {
  constexpr int64_t most_blocks = 65535;  // along y
  const int64_t blocks = std::clamp<int64_t>(ceil_divide(items, items_per_thread * row_threads), 1, most_blocks);
  return {static_cast<unsigned>(rows), static_cast<unsigned>(blocks)};
}

// Calls body(item) for the thread's share of items 0, ..., items - 1.
template <class Body>
__device__ void for_each_item(int64_t items, Body body) {
  const int64_t step = static_cast<int64_t>(gridDim.y) * row_threads;
  for (int64_t item = static_cast<int64_t>(blockIdx.y) * row_threads + threadIdx.x; item < items; item += step) {
    body(item);
  }
}

}  // namespace melgrad::kernel::cuda
