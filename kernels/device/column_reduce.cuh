// Reductions over the rows of a row-major [rows, channels] matrix, one result per channel, and the launch shapes for
// other kernels that keep per-channel values.
//
// Memory traffic: each element is read once. A block sums in registers, then by warp shuffles, then in shared memory,
// and writes one partial result per channel; a second small kernel combines the partial results. The order of every
// step depends on the shape alone, so results are bit-identical in every run.
//
// A partial result is a struct of 4-byte words with a member combine(other); {} is the neutral element.
#pragma once

#include <algorithm>
#include <bit>

#include "kernels/device/cuda.cuh"

namespace melgrad::kernel::cuda {

// A block of [across, down] threads covers `across` vectors of channels and `down` rows.
constexpr int reduce_threads = 256, reduce_warps = reduce_threads / warp_size;
constexpr int most_across = 8;  // 8 vectors of 16 bytes: a whole cache line

// The number of vectors, at most most_across, rounded up to a power of two because shuffles need it. With few channels,
// more threads of the block work on rows.
inline unsigned vectors_across(int64_t channels, int width) {
  return std::bit_ceil(static_cast<unsigned>(std::min<int64_t>(ceil_divide<int64_t>(channels, width), most_across)));
}

// A launch shape: the rows are cut into chunks, the channels into tiles, and each pair of them is a block.
struct Cut {
  int64_t rows_per_chunk;
  unsigned across, tiles, chunks;

  // Needs rows > 0 and channels > 0.
  Cut(int64_t rows, int64_t channels, int width) : across(vectors_across(channels, width)) {
    const int64_t worthwhile_rows = 4 * block().y;
    constexpr int64_t blocks_that_fill_a_gpu = 2048;
    tiles = static_cast<unsigned>(ceil_divide<int64_t>(channels, across * width));
    const int64_t wanted = std::clamp<int64_t>(blocks_that_fill_a_gpu / tiles, 1, ceil_divide(rows, worthwhile_rows));
    rows_per_chunk = ceil_divide(rows, wanted);
    chunks = static_cast<unsigned>(ceil_divide(rows, rows_per_chunk));
  }
  dim3 grid() const { return {tiles, chunks}; }
  dim3 block() const { return {across, reduce_threads / across}; }
};

// The part of the matrix that a thread visits: channels channel, ..., channel + width - 1 of rows row, row + step, ...
// < end.
template <int width>
struct Visit {
  int64_t channel, row, end, step;

  __device__ Visit(int64_t rows, int64_t channels, int64_t rows_per_chunk)
      : channel((static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x) * width),
        row(blockIdx.y * rows_per_chunk + threadIdx.y),
        end(min(rows, (static_cast<int64_t>(blockIdx.y) + 1) * rows_per_chunk)),
        step(blockDim.y) {
    if (channel >= channels) end = 0;  // no rows; the thread still takes part in barriers and shuffles
  }
};

struct Sum {
  float value;

  __device__ void combine(const Sum& other) { value += other.value; }
};

// Combines the values that the threads of a block [across, down] hold for the same channels, and calls
// write(channel within the tile, total) once for each channel of the tile. The block has at most reduce_threads
// threads, in whole warps.
template <int width, class Partial, class Write>
__device__ void combine_block(Partial (&held)[width], Write write) {
  SHARED(Partial, of_warp, [reduce_warps][most_across * width]);
  const int across = static_cast<int>(blockDim.x), threads = across * static_cast<int>(blockDim.y);
  const int thread = static_cast<int>(threadIdx.y) * across + static_cast<int>(threadIdx.x);
  const int warp = thread / warp_size, lane = thread % warp_size;
  for (int c = 0; c < width; ++c) {
    for (int distance = across; distance < warp_size; distance *= 2) held[c].combine(shuffle_xor(held[c], distance));
    if (lane < across) of_warp[warp][lane * width + c] = held[c];
  }
  __syncthreads();
  const int warps = threads / warp_size;
  for (int c = thread; c < across * width; c += threads) {
    Partial total = of_warp[0][c];
    for (int w = 1; w < warps; ++w) total.combine(of_warp[w][c]);
    write(c, total);
  }
}

// Combines the block's results and writes them to partials [chunks, channels].
template <int width, class Partial>
__device__ void write_partials(Partial (&held)[width], Partial* partials, int64_t channels) {
  combine_block<width>(held, [&](int c, const Partial& total) {
    const int64_t channel = static_cast<int64_t>(blockIdx.x) * (blockDim.x * width) + c;
    if (channel < channels) partials[blockIdx.y * channels + channel] = total;
  });
}

// The second kernel of a reduction: a block of [warp_size, combiners] threads combines the chunks of 32 channels.
constexpr int combiners = 8;

inline dim3 combiner_block() { return {warp_size, combiners}; }
inline dim3 warps_over(int64_t channels) { return static_cast<unsigned>(ceil_divide<int64_t>(channels, warp_size)); }
__device__ inline int64_t channel_of_combiner() { return static_cast<int64_t>(blockIdx.x) * warp_size + threadIdx.x; }

// The total of a channel. It is complete only in threads with threadIdx.y == 0.
template <class Partial>
__device__ Partial combine_chunks(const Partial* partials, unsigned chunks, int64_t channel, int64_t channels) {
  SHARED(Partial, of_combiner, [combiners][warp_size]);
  Partial total = {};
  if (channel < channels) {
    for (unsigned chunk = threadIdx.y; chunk < chunks; chunk += combiners) {
      total.combine(partials[chunk * channels + channel]);
    }
  }
  of_combiner[threadIdx.y][threadIdx.x] = total;
  __syncthreads();
  for (int i = 1; i < combiners; ++i) total.combine(of_combiner[i][threadIdx.x]);
  return total;
}

}  // namespace melgrad::kernel::cuda
