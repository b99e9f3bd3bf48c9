#include "tests/kernels/device/emulated/meter/textbook_kernels.h"

#include "kernels/device/cuda.cuh"

namespace melgrad::meter {
namespace {

__device__ int64_t thread_of_grid() { return static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; }

__global__ void copy_rows(const float* from, float* to, int64_t columns) {
  for (int64_t c = 0; c < columns; ++c) to[thread_of_grid() * columns + c] = from[thread_of_grid() * columns + c];
}

__global__ void copy(const float* from, float* to, int64_t first, int64_t n) {
  const int64_t i = thread_of_grid() + first;
  if (i < n) to[i] = from[i];
}

__global__ void copy_by_vectors(const float* from, float* to) {
  store(to + 4 * thread_of_grid(), load<4>(from + 4 * thread_of_grid()));
}

// Blocks of 32 x 8 threads transpose tiles of 32 x 32.
template <int pitch>
__global__ void transpose(const float* from, float* to, int64_t n) {
  SHARED(float, tile, [32][pitch]);
  const int64_t x = blockIdx.x * 32, y = blockIdx.y * 32;
  for (unsigned j = threadIdx.y; j < 32; j += 8) tile[j][threadIdx.x] = from[(y + j) * n + x + threadIdx.x];
  __syncthreads();
  for (unsigned j = threadIdx.y; j < 32; j += 8) to[(x + j) * n + y + threadIdx.x] = tile[threadIdx.x][j];
}

__global__ void ragged(const float* x, float* y) {
  float sum = 0;
  for (int row = 0; row < 4; ++row) {
    for (unsigned i = 0; i < threadIdx.x; ++i) sum += x[row * 32 + i];
  }
  y[threadIdx.x] = sum;
}

__global__ void through_two_arrays(const float* x, float* y) {
  SHARED(float, fixed, [256]);
  DYNAMIC_SHARED(float, variable);
  fixed[threadIdx.x] = x[threadIdx.x];
  variable[threadIdx.x] = fixed[threadIdx.x];
  y[threadIdx.x] = variable[threadIdx.x];
}

template <bool with_barrier>
__global__ void block_sum(const float* x, float* sums) {
  SHARED(float, partial, [256]);
  partial[threadIdx.x] = x[thread_of_grid()];
  __syncthreads();
  for (unsigned half = 128; half > 0; half /= 2) {
    if (threadIdx.x < half) partial[threadIdx.x] += partial[threadIdx.x + half];
    if (with_barrier) __syncthreads();
  }
  if (threadIdx.x == 0) sums[blockIdx.x] = partial[0];
}

template <bool with_syncwarp>
__global__ void neighbours(const float* x, float* y) {
  SHARED(float, held, [32]);
  held[threadIdx.x] = x[threadIdx.x];
  if (with_syncwarp) __syncwarp();
  y[threadIdx.x] = held[threadIdx.x ^ 1];
}

__global__ void add_one(int32_t* bins) { bins[threadIdx.x] += 1; }
__global__ void add_one_atomically(int32_t* bins) { atomicAdd(&bins[threadIdx.x], 1); }
__global__ void store_one(float* y) {
  if (threadIdx.x == 0) y[0] = 1;
}

__global__ void last_block_sum(Fences fences, float* partials, unsigned* arrived, float* sum) {
  SHARED(bool, is_last, [1]);
  if (threadIdx.x == 1) partials[blockIdx.x] = static_cast<float>(blockIdx.x + 1);
  __syncthreads();
  if (threadIdx.x == 0) {
    if (fences == Fences::both || fences == Fences::no_acquire) __threadfence();
    is_last[0] = atomicAdd(arrived, 1u) == gridDim.x - 1;
    if (fences == Fences::both || fences == Fences::no_release) __threadfence();
  }
  __syncthreads();
  if (!is_last[0] || threadIdx.x != 2) return;
  float total = 0;
  for (unsigned block = 0; block < gridDim.x; ++block) total += partials[block];
  *sum = total;
}

}  // namespace

void copy_strided(Stream& stream, const float* x, float* y) { launch(copy_rows, 1, 256, 0, stream, x, y, 64); }
void copy_coalesced(Stream& stream, const float* x, float* y) { launch(copy, 256, 256, 0, stream, x, y, 0, 65536); }
void copy_misaligned(Stream& stream, const float* x, float* y) { launch(copy, 256, 256, 0, stream, x, y, 1, 65536); }
void copy_vectors(Stream& stream, const float* x, float* y) { launch(copy_by_vectors, 64, 256, 0, stream, x, y); }
void transpose_unpadded(Stream& stream, const float* x, float* y) {
  launch(transpose<32>, dim3(8, 8), dim3(32, 8), 0, stream, x, y, 256);
}
void transpose_padded(Stream& stream, const float* x, float* y) {
  launch(transpose<33>, dim3(8, 8), dim3(32, 8), 0, stream, x, y, 256);
}
void ragged_loops(Stream& stream, const float* x, float* y) { launch(ragged, 1, 32, 0, stream, x, y); }
void ragged_blocks(Stream& stream, const float* x, float* y) { launch(copy, 2, 128, 0, stream, x, y, 0, 160); }
void two_shared_arrays(Stream& stream, const float* x, float* y) {
  launch(through_two_arrays, 1, 256, 2048, stream, x, y);
}
void block_sum_without_barrier(Stream& stream, const float* x, float* sums) {
  launch(block_sum<false>, 16, 256, 0, stream, x, sums);
}
void block_sum_with_barrier(Stream& stream, const float* x, float* sums) {
  launch(block_sum<true>, 16, 256, 0, stream, x, sums);
}
void neighbours_without_syncwarp(Stream& stream, const float* x, float* y) {
  launch(neighbours<false>, 1, 32, 0, stream, x, y);
}
void neighbours_with_syncwarp(Stream& stream, const float* x, float* y) {
  launch(neighbours<true>, 1, 32, 0, stream, x, y);
}
void histogram_by_addition(Stream& stream, int32_t* bins) { launch(add_one, 2, 32, 0, stream, bins); }
void histogram_by_atomics(Stream& stream, int32_t* bins) { launch(add_one_atomically, 2, 32, 0, stream, bins); }
void same_value_from_two_blocks(Stream& stream, float* y) { launch(store_one, 2, 32, 0, stream, y); }
void sum_by_last_block(Stream& stream, Fences fences, float* partials, unsigned* arrived, float* sum) {
  launch(last_block_sum, 8, 64, 0, stream, fences, partials, arrived, sum);
}

}  // namespace melgrad::meter
