// Reductions over all blocks of a grid in one launch: the block that finishes last combines what the others left.
#pragma once

#include "kernels/device/cuda.cuh"

namespace melgrad::kernel::cuda {

// True in all threads of the block that calls it last of `blocks` blocks, which then sees what the others wrote before.
// `arrivals` must be 0 and is 0 again afterwards. The sequence of barrier and fence is that of a grid barrier in
// cooperative groups.
__device__ inline bool is_last_block(unsigned* arrivals, unsigned blocks) {
  SHARED(bool, is_last, [1]);
  __syncthreads();
  if (threadIdx.x == 0 && threadIdx.y == 0) {
    __threadfence();
    is_last[0] = atomicAdd(arrivals, 1u) == blocks - 1;
    if (is_last[0]) *arrivals = 0;
    __threadfence();
  }
  __syncthreads();
  return is_last[0];
}

// The sum over a one-dimensional grid of blocks of `threads` threads, from the sum of each block. Only the last block
// returns true; it then has the sum in `total`. The order depends on the number of blocks alone. partials [gridDim.x].
template <int threads>
__device__ bool grid_sum(float sum_of_block, float* partials, unsigned* arrivals, float& total) {
  if (threadIdx.x == 0) partials[blockIdx.x] = sum_of_block;
  if (!is_last_block(arrivals, gridDim.x)) return false;
  total = block_sum<threads>(partials, gridDim.x);
  return true;
}

}  // namespace melgrad::kernel::cuda
