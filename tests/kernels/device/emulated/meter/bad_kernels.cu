// Kernels with known costs and faults: strided access, bank conflicts, races.
#include "tests/kernels/device/emulated/meter/bad_kernels.h"

#include "kernels/device/cuda.cuh"

namespace melgrad::meter {
namespace {

__global__ void copy_strided(const float* from, float* to, int64_t columns) {  // every lane copies one row
  const int64_t row = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  for (int64_t c = 0; c < columns; ++c) to[row * columns + c] = from[row * columns + c];
}

__global__ void copy_coalesced(const float* from, float* to, int64_t rows, int64_t columns) {
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < rows * columns;
       i += static_cast<int64_t>(gridDim.x) * blockDim.x) {
    to[i] = from[i];
  }
}

__global__ void copy_misaligned(const float* from, float* to,
                                int64_t n) {  // starts 4 bytes after the beginning of a sector
  const int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x + 1;
  if (i < n) to[i] = from[i];
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

template <bool correct>
__global__ void sum_of_block(const float* x, float* sums) {
  SHARED(float, partial, [256]);
  partial[threadIdx.x] = x[blockIdx.x * 256 + threadIdx.x];
  __syncthreads();
  for (unsigned half = 128; half > 0; half /= 2) {
    if (threadIdx.x < half) partial[threadIdx.x] += partial[threadIdx.x + half];
    if (correct) __syncthreads();
  }
  if (threadIdx.x == 0) sums[blockIdx.x] = partial[0];
}

// The lanes of one warp exchange values: __syncwarp is necessary between the write and the read.
template <bool correct>
__global__ void neighbours_of_warp(const float* x, float* y) {
  SHARED(float, held, [32]);
  held[threadIdx.x] = x[threadIdx.x];
  if (correct) __syncwarp();
  y[threadIdx.x] = held[threadIdx.x ^ 1];
}

__global__ void histogram_between_blocks(int32_t* bins) { bins[threadIdx.x % 32] += 1; }
__global__ void histogram_of_atomics(int32_t* bins) { atomicAdd(&bins[threadIdx.x % 32], 1); }

// Lane l reads l numbers of each of 4 rows: 4 rounds of 31 requests, each with one active lane less.
__global__ void ragged(const float* x, float* y) {
  float sum = 0;
  for (int row = 0; row < 4; ++row) {
    for (unsigned i = 0; i < threadIdx.x; ++i) sum += x[row * 32 + i];
  }
  y[threadIdx.x] = sum;
}

}  // namespace

void run_bad_kernels(Stream& stream, const float* x, float* y, int64_t side) {
  const auto blocks = static_cast<unsigned>(side / 32);
  launch(copy_strided, 4, 256, 0, stream, x, y, 64);
  launch(copy_coalesced, 4, 256, 0, stream, x, y, 1024, 64);
  launch(copy_misaligned, 256, 256, 0, stream, x, y, 65536);
  launch(transpose<32>, dim3(blocks, blocks), dim3(32, 8), 0, stream, x, y, side);
  launch(transpose<33>, dim3(blocks, blocks), dim3(32, 8), 0, stream, x, y, side);
  launch(sum_of_block<true>, 16, 256, 0, stream, x, y);
  launch(sum_of_block<false>, 16, 256, 0, stream, x, y);
  launch(neighbours_of_warp<true>, 1, 32, 0, stream, x, y);
  launch(neighbours_of_warp<false>, 1, 32, 0, stream, x, y);
  launch(histogram_between_blocks, 2, 32, 0, stream, reinterpret_cast<int32_t*>(y));
  launch(histogram_of_atomics, 2, 64, 0, stream, reinterpret_cast<int32_t*>(y));
  launch(ragged, 1, 32, 0, stream, x, y);
}

}  // namespace melgrad::meter
