// Max pooling.
//
// Memory traffic, forward and backward alike: 4 bytes in float32 or 2 in 16 bits per element of x or dx, and 5 or 3
// bytes per element of y or dy, which includes the byte of `taken`. What several threads read comes from a cache after
// the first read.
//
// A thread computes a vector of channels: 16 bytes if the channels are a multiple of that, otherwise one channel. In
// the backward pass each input element gathers from the windows that cover it. This needs no atomics, so the result is
// bit-identical in every run, and dx need not be zeroed.
#include "kernels/max_pool2d.h"

#include "kernels/device/image_rows.cuh"
#include "kernels/max_pool2d.cuh"

namespace melgrad::kernel::cuda {
namespace {

template <class T, int width>
__global__ void __launch_bounds__(image_row_threads) max_pool_forward(const T* x, T* y, uint8_t* taken, Pool2d pool) {
  const int kernel_size = static_cast<int>(pool.kernel_size);
  const int out_height = static_cast<int>(pool.out_height()), out_width = static_cast<int>(pool.out_width());
  const auto place = Place::of_thread<width>(out_height, out_width, static_cast<int>(pool.channels));
  if (!place.inside) return;
  const int64_t top = place.row * pool.stride - pool.padding, left = place.column * pool.stride - pool.padding;

  Vector<T, width> largest = {};
  Vector<uint8_t, width> position = {};
  bool first = true;
  for (int i = 0; i < kernel_size; ++i) {
    if (top + i < 0 || top + i >= pool.height) continue;
    for (int j = 0; j < kernel_size; ++j) {
      if (left + j < 0 || left + j >= pool.width) continue;
      const int64_t pixel = (place.sample * pool.height + top + i) * pool.width + left + j;
      const auto values = load<width>(x + pixel * pool.channels + place.channel);
      for (int c = 0; c < width; ++c) {
        const float value = to_float(values[c]);
        if (first || value > to_float(largest[c]) || value != value) {
          largest[c] = values[c];
          position[c] = static_cast<uint8_t>(i * kernel_size + j);
        }
      }
      first = false;
    }
  }
  const int64_t pixel = (place.sample * out_height + place.row) * out_width + place.column;
  store(y + pixel * pool.channels + place.channel, largest);
  store(taken + pixel * pool.channels + place.channel, position);
}

template <class T, int width>
__global__ void __launch_bounds__(image_row_threads)
    max_pool_backward(const T* dy, const uint8_t* taken, T* dx, Pool2d pool) {
  const int height = static_cast<int>(pool.height), across = static_cast<int>(pool.width);
  const auto place = Place::of_thread<width>(height, across, static_cast<int>(pool.channels));
  if (!place.inside) return;
  float sum[width] = {};
  gather_gradient<T, width>(dy, static_cast<const T*>(nullptr), taken, pool, place.sample, place.row, place.column,
                            place.channel, sum);
  Vector<T, width> result;
  for (int c = 0; c < width; ++c) result[c] = from_float<T>(sum[c]);
  const int64_t pixel = (place.sample * height + place.row) * across + place.column;
  store(dx + pixel * pool.channels + place.channel, result);
}

}  // namespace

void max_pool2d_forward(Stream& stream, const void* x, void* y, uint8_t* taken, DType dtype, Pool2d pool) {
  require_valid(pool);
  if (pool.batch * pool.channels == 0) return;
  dispatch(dtype, pool.channels, {x, y, taken}, [&]<class T, int width>() {
    over_image_rows(current_range(stream), pool.batch * pool.out_height(), pool.out_width() * pool.channels / width,
                    [&](dim3 grid, dim3 block) {
                      launch(max_pool_forward<T, width>, grid, block, 0, stream, static_cast<const T*>(x),
                             static_cast<T*>(y), taken, pool);
                    });
  });
}

void max_pool2d_backward(Stream& stream, const void* dy, const uint8_t* taken, void* dx, DType dtype, Pool2d pool) {
  require_valid(pool);
  if (pool.batch * pool.channels == 0) return;
  dispatch(dtype, pool.channels, {dy, dx, taken}, [&]<class T, int width>() {
    over_image_rows(current_range(stream), pool.batch * pool.height, pool.width * pool.channels / width,
                    [&](dim3 grid, dim3 block) {
                      launch(max_pool_backward<T, width>, grid, block, 0, stream, static_cast<const T*>(dy), taken,
                             static_cast<T*>(dx), pool);
                    });
  });
}

}  // namespace melgrad::kernel::cuda
