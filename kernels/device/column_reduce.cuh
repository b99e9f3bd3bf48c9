// Reductions over the rows of a row-major [rows, channels] matrix, one result per channel, and the launch shapes for
// other kernels that keep per-channel values.
//
// Memory traffic: each element is read once. A block sums in registers, then by warp shuffles, then in shared memory,
// and writes one partial result per channel. The block that finishes last combines the partial results, so a reduction
// is one launch. The order of every sum depends on the shape alone, so results are bit-identical in every run.
//
// A partial result is a struct of 4-byte words with a member combine(other); {} is the neutral element.
#pragma once

#include <algorithm>
#include <bit>

#include "kernels/device/cuda.cuh"
#include "kernels/device/last_block.cuh"

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
  unsigned across, tiles, chunks, tile_channels;

  // Needs rows > 0 and channels > 0.
  Cut(int64_t rows, int64_t channels, int width) : across(vectors_across(channels, width)) {
    const int64_t worthwhile_rows = 4 * block().y;
    // Enough to fill the largest GPU once. The last block of a reduction combines the chunks, so more would delay it.
    constexpr int64_t blocks_that_fill_a_gpu = 512;
    tile_channels = across * static_cast<unsigned>(width);
    tiles = static_cast<unsigned>(ceil_divide<int64_t>(channels, tile_channels));
    const int64_t wanted = std::clamp<int64_t>(blocks_that_fill_a_gpu / tiles, 1, ceil_divide(rows, worthwhile_rows));
    rows_per_chunk = ceil_divide(rows, wanted);
    chunks = static_cast<unsigned>(ceil_divide(rows, rows_per_chunk));
  }
  dim3 grid() const { return {tiles, chunks}; }
  dim3 block() const { return {across, reduce_threads / across}; }
};

// The part of the matrix that a thread visits: channels channel, ..., channel + width - 1 of rows row, row + step, ...
// < end. A second pass over a matrix visits the chunks in descending order: the L2 cache still holds those that the
// first pass visited last.
enum class Chunks { ascending, descending };
template <int width>
struct Visit {
  int64_t channel, row, end, step;

  __device__ Visit(int64_t rows, int64_t channels, int64_t rows_per_chunk, Chunks order = Chunks::ascending)
      : channel((static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x) * width), step(blockDim.y) {
    const int64_t chunk = order == Chunks::ascending ? blockIdx.y : gridDim.y - 1 - blockIdx.y;
    row = chunk * rows_per_chunk + threadIdx.y;
    end = min(rows, (chunk + 1) * rows_per_chunk);
    if (channel >= channels) end = 0;  // no rows; the thread still takes part in barriers and shuffles
  }
  __device__ bool empty() const { return row >= end; }

  // Calls use(first, load(first)) for each of the thread's vectors, which begin at element `first`. Several rows are
  // loaded before they are used, so that their loads overlap.
  template <int overlapping = 4, class Load, class Use>
  __device__ void for_each_row(int64_t channels, Load load, Use use) const {
    int64_t r = row;
    for (; r + (overlapping - 1) * step < end; r += overlapping * step) {
      decltype(load(r)) loaded[overlapping];
#pragma unroll
      for (int i = 0; i < overlapping; ++i) loaded[i] = load((r + i * step) * channels + channel);
#pragma unroll
      for (int i = 0; i < overlapping; ++i) use((r + i * step) * channels + channel, loaded[i]);
    }
    for (; r < end; r += step) use(r * channels + channel, load(r * channels + channel));
  }
};

// `width` float32 values of the channels from `channel` on, loaded in vectors of 4. A pointer for width > 1 must be
// aligned to 16 bytes.
template <int width>
struct PerChannel {
  float values[width];

  PerChannel() = default;
  __device__ PerChannel(const float* from, int64_t channel) {
    constexpr int step = width < 4 ? width : 4;
    for (int c = 0; c < width; c += step) {
      const auto part = load<step>(from + channel + c);
      for (int i = 0; i < step; ++i) values[c + i] = part[i];
    }
  }
  __device__ float operator[](int c) const { return values[c]; }
};

// Computes `count` values for each channel of the block's tile, once per block, and hands each thread those of its
// channels: compute(channel, values) gets float values[count]. All threads of the block must call it. In a kernel, each
// call needs another `count`.
template <int width, int count, class Compute>
__device__ void share_channels(PerChannel<width> (&result)[count], int64_t channels, Compute compute) {
  constexpr int step = width < 4 ? width : 4, groups = width / step;
  using Part = Vector<float, step>;   // what a thread loads at once; the parts of neighbouring threads are adjacent
  constexpr int padding = 16 / step;  // between groups, against bank conflicts of the stores
  SHARED(Part, shared, [count][groups * (most_across + padding)]);
  const int across = static_cast<int>(blockDim.x), threads = across * static_cast<int>(blockDim.y);
  const int group = across + padding;
  for (int j = static_cast<int>(threadIdx.y) * across + static_cast<int>(threadIdx.x); j < across * width;
       j += threads) {
    const int64_t channel = static_cast<int64_t>(blockIdx.x) * (across * width) + j;
    if (channel >= channels) continue;
    float values[count];
    compute(channel, values);
    const int thread = j / width, c = j % width;
    for (int k = 0; k < count; ++k) shared[k][c / step * group + thread][c % step] = values[k];
  }
  __syncthreads();
  for (int k = 0; k < count; ++k) {
    for (int g = 0; g < groups; ++g) {
      const Part part = shared[k][g * group + static_cast<int>(threadIdx.x)];
      for (int i = 0; i < step; ++i) result[k].values[g * step + i] = part[i];
    }
  }
}

struct Sum {
  float value;

  __device__ void combine(const Sum& other) { value += other.value; }
};

// Combines the values that the threads of a block [across, down] hold for the same channels, and calls
// write(position, channel within the tile, total) once for each channel of the tile. Consecutive threads write
// consecutive positions. The block has at most reduce_threads threads, in whole warps.
template <int width, class Partial, class Write>
__device__ void combine_block(Partial (&held)[width], Write write) {
  SHARED(Partial, of_warp, [reduce_warps][most_across * width]);  // a position is c * across + lane: no bank conflicts
  const int across = static_cast<int>(blockDim.x), threads = across * static_cast<int>(blockDim.y);
  const int thread = static_cast<int>(threadIdx.y) * across + static_cast<int>(threadIdx.x);
  const int warp = thread / warp_size, lane = thread % warp_size;
  for (int c = 0; c < width; ++c) {
    for (int distance = across; distance < warp_size; distance *= 2) held[c].combine(shuffle_xor(held[c], distance));
    if (lane < across) of_warp[warp][c * across + lane] = held[c];
  }
  __syncthreads();
  const int warps = threads / warp_size;
  for (int position = thread; position < across * width; position += threads) {
    Partial total = of_warp[0][position];
    for (int w = 1; w < warps; ++w) total.combine(of_warp[w][position]);
    write(position, position % across * width + position / across, total);
  }
}

// Where the blocks of a reduction leave their results: partials [chunks, tiles, tile_channels], and one counter per
// tile.
template <class Stored>
struct Partials {
  Stored* values;
  unsigned* arrivals;

  Partials(Stream& stream, const Cut& cut)
      : values(static_cast<Stored*>(
            stream.workspace(static_cast<size_t>(cut.chunks) * cut.tiles * cut.tile_channels * sizeof(Stored)))),
        arrivals(arrival_counters(stream, cut.tiles)) {}
};

// Combines what the threads of all blocks hold and calls finish(channel, total) once per channel, in the last block.
// pack(total) is what a block stores; unpack(stored, chunk) is its inverse.
template <int width, class Partial, class Stored, class Pack, class Unpack, class Finish>
__device__ void reduce_chunks(Partial (&held)[width], Partials<Stored> partials, int64_t channels, Pack pack,
                              Unpack unpack, Finish finish) {
  const int across = static_cast<int>(blockDim.x), tile_channels = across * width;
  const unsigned tile = blockIdx.x, chunks = gridDim.y;
  Stored* const of_tile = partials.values + static_cast<int64_t>(tile) * tile_channels;
  const int64_t stride = static_cast<int64_t>(gridDim.x) * tile_channels;
  combine_block<width>(
      held, [&](int position, int, const Partial& total) { of_tile[blockIdx.y * stride + position] = pack(total); });
  if (!is_last_block(partials.arrivals + tile, chunks)) return;

  // Thread (position, combiner) adds up the chunks combiner, combiner + combiners, ...
  SHARED(Partial, of_combiner, [reduce_threads]);
  const int thread = static_cast<int>(threadIdx.y) * across + static_cast<int>(threadIdx.x);
  const int combiners = static_cast<int>(blockDim.x * blockDim.y) / tile_channels;
  const int position = thread % tile_channels;
  Partial total = {};
#pragma unroll 4
  for (unsigned chunk = static_cast<unsigned>(thread / tile_channels); chunk < chunks;
       chunk += static_cast<unsigned>(combiners)) {
    total.combine(unpack(of_tile[chunk * stride + position], chunk));
  }
  of_combiner[thread] = total;
  __syncthreads();
  if (thread >= tile_channels) return;
  for (int i = 1; i < combiners; ++i) total.combine(of_combiner[i * tile_channels + position]);
  const int64_t channel = static_cast<int64_t>(tile) * tile_channels + position % across * width + position / across;
  if (channel < channels) finish(channel, total);
}

// The same for partial results that are stored as they are.
template <int width, class Partial, class Finish>
__device__ void reduce_chunks(Partial (&held)[width], Partials<Partial> partials, int64_t channels, Finish finish) {
  reduce_chunks(
      held, partials, channels, [](const Partial& total) { return total; },
      [](const Partial& stored, unsigned) { return stored; }, finish);
}

}  // namespace melgrad::kernel::cuda
