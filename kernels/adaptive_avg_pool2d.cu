// Adaptive average pooling.
//
// Memory traffic, forward and backward alike: 4 bytes in float32 or 2 in 16 bits per element of x or dx, and the same
// per element of y or dy. What several threads read comes from a cache after the first read.
//
// Forward: a block sums one window in registers, warp shuffles and shared memory, so no partial sums go through device
// memory. Backward: each input element gathers from its windows, which needs no atomics.
#include "kernels/adaptive_avg_pool2d.h"

#include "kernels/device/column_reduce.cuh"
#include "kernels/device/image_rows.cuh"

namespace melgrad::kernel::cuda {
namespace {

// A block computes one window for one tile of channels. The pixels of the window are the rows that it reduces.
template <class T, int width>
__global__ void __launch_bounds__(reduce_threads)
    avg_pool_forward(const T* x, T* y, AdaptivePool2d pool, unsigned tiles) {
  const int64_t out = blockIdx.x / tiles, row = out / pool.out_width;
  const AdaptiveWindow rows(row % pool.out_height, pool.height, pool.out_height);
  const AdaptiveWindow columns(out % pool.out_width, pool.width, pool.out_width);
  const int64_t top = row / pool.out_height * pool.height + rows.begin;
  const int across_window = static_cast<int>(columns.size()), pixels = static_cast<int>(rows.size()) * across_window;
  const int64_t tile = static_cast<int64_t>(blockIdx.x % tiles) * (blockDim.x * width);
  const int64_t channel = tile + threadIdx.x * width;

  Sum sums[width] = {};
  if (channel < pool.channels) {
    for (int i = static_cast<int>(threadIdx.y); i < pixels; i += static_cast<int>(blockDim.y)) {
      const int64_t pixel = (top + i / across_window) * pool.width + columns.begin + i % across_window;
      const auto values = load<width>(x + pixel * pool.channels + channel);
      for (int c = 0; c < width; ++c) sums[c].value += to_float(values[c]);
    }
  }
  const float share = 1 / static_cast<float>(pixels);
  combine_block<width>(sums, [&](int, int c, const Sum& total) {
    if (tile + c < pool.channels) y[out * pool.channels + tile + c] = from_float<T>(total.value * share);
  });
}

// A thread computes one vector of channels of an input pixel from the windows that contain the pixel.
template <class T, int width>
__global__ void __launch_bounds__(image_row_threads) avg_pool_backward(const T* dy, T* dx, AdaptivePool2d pool) {
  const auto place = Place::of_thread<width>(static_cast<int>(pool.height), static_cast<int>(pool.width),
                                             static_cast<int>(pool.channels));
  if (!place.inside) return;
  const AdaptiveWindow out_rows(place.row, pool.out_height, pool.height);
  const AdaptiveWindow out_columns(place.column, pool.out_width, pool.width);

  float sum[width] = {};
#pragma unroll 1  // unrolled, the 64-bit divisions spill registers on sm_120
  for (int64_t i = out_rows.begin; i < out_rows.end; ++i) {
    const int64_t window_height = AdaptiveWindow(i, pool.height, pool.out_height).size();
#pragma unroll 1
    for (int64_t j = out_columns.begin; j < out_columns.end; ++j) {
      const int64_t window_width = AdaptiveWindow(j, pool.width, pool.out_width).size();
      const float share = 1 / static_cast<float>(window_height * window_width);
      const int64_t out = (place.sample * pool.out_height + i) * pool.out_width + j;
      const auto d = load<width>(dy + out * pool.channels + place.channel);
      for (int c = 0; c < width; ++c) sum[c] += share * to_float(d[c]);
    }
  }
  Vector<T, width> result;
  for (int c = 0; c < width; ++c) result[c] = from_float<T>(sum[c]);
  const int64_t pixel = (place.sample * pool.height + place.row) * pool.width + place.column;
  store(dx + pixel * pool.channels + place.channel, result);
}

// The block has as many warps as a window can occupy, at most reduce_warps.
dim3 block_for(const AdaptivePool2d& pool, unsigned across) {
  const int64_t window = ceil_divide(pool.height, pool.out_height) * ceil_divide(pool.width, pool.out_width);
  const unsigned pixels_of_warp = warp_size / across;
  const int64_t warps = std::clamp<int64_t>(ceil_divide<int64_t>(window, pixels_of_warp), 1, reduce_warps);
  return {across, pixels_of_warp * static_cast<unsigned>(warps)};
}

}  // namespace

void adaptive_avg_pool2d_forward(Stream& stream, const void* x, void* y, DType dtype, AdaptivePool2d pool) {
  const int64_t windows = pool.batch * pool.out_height * pool.out_width;
  if (windows * pool.channels == 0) return;
  dispatch(dtype, pool.channels, {x}, [&]<class T, int width>() {
    const unsigned across = vectors_across(pool.channels, width);
    const int64_t tiles = ceil_divide<int64_t>(pool.channels, across * width);
    MELGRAD_CHECK(windows * tiles <= INT32_MAX, "adaptive_avg_pool2d: {} windows of {} channels are too many", windows,
                  pool.channels);
    launch(avg_pool_forward<T, width>, static_cast<unsigned>(windows * tiles), block_for(pool, across), 0, stream,
           static_cast<const T*>(x), static_cast<T*>(y), pool, static_cast<unsigned>(tiles));
  });
}

void adaptive_avg_pool2d_backward(Stream& stream, const void* dy, void* dx, DType dtype, AdaptivePool2d pool) {
  if (pool.batch * pool.height * pool.width * pool.channels == 0) return;
  dispatch(dtype, pool.channels, {dy, dx}, [&]<class T, int width>() {
    over_image_rows(current_range(stream), pool.batch * pool.height, pool.width * pool.channels / width,
                    [&](dim3 grid, dim3 block) {
                      launch(avg_pool_backward<T, width>, grid, block, 0, stream, static_cast<const T*>(dy),
                             static_cast<T*>(dx), pool);
                    });
  });
}

}  // namespace melgrad::kernel::cuda
