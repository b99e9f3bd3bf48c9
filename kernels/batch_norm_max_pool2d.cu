// Batch norm, ReLU and max pooling in one pass.
//
// Memory traffic in units of the dtype's size: forward 1 per element of x and 2 per element of y (y and the maxima's
// x); backward 2 per element of x (x read, dx written) and 3 (or 5 with a second gradient) per element of y. `taken`
// adds a byte per element of y, written once and read once. The separate ops would also write and read relu(z) and its
// gradient: 8 more per element of x.
//
// A thread keeps its channels and visits pixels (column_reduce.cuh). What the windows of neighbouring pixels share
// comes from the L1 cache. The backward pass gathers, as max_pool2d does, so it needs no atomics. The gradients of
// gamma and beta are sums over the maxima alone, since no other element of z has a gradient.
#include "kernels/batch_norm_max_pool2d.h"

#include "kernels/batch_norm.cuh"
#include "kernels/max_pool2d.cuh"

namespace melgrad::kernel::cuda {
namespace {

// The position of pixel `index` of a batch of images.
struct Pixel {
  int sample, row, column;

  __device__ Pixel(int64_t index, int height, int width) {
    const auto i = static_cast<unsigned>(index);
    const unsigned image_row = i / static_cast<unsigned>(width);
    sample = static_cast<int>(image_row / static_cast<unsigned>(height));
    row = static_cast<int>(image_row % static_cast<unsigned>(height));
    column = static_cast<int>(i % static_cast<unsigned>(width));
  }
};

template <class T, int width>
__global__ void __launch_bounds__(reduce_threads, least_blocks)
    normalize_and_pool(const T* x, BatchNormNormalization normalization, T* y, uint8_t* taken, T* taken_x, Pool2d pool,
                       int64_t rows_per_chunk) {
  const int kernel_size = static_cast<int>(pool.kernel_size), stride = static_cast<int>(pool.stride);
  const int height = static_cast<int>(pool.height), across = static_cast<int>(pool.width);
  const int out_height = static_cast<int>(pool.out_height()), out_width = static_cast<int>(pool.out_width());
  const Visit<width> visit(pool.batch * out_height * out_width, pool.channels, rows_per_chunk, Chunks::descending);
  const Factors<width> factors(normalization, pool.channels);
  for (int64_t out = visit.row; out < visit.end; out += visit.step) {
    const Pixel pixel(out, out_height, out_width);
    const int top = pixel.row * stride - static_cast<int>(pool.padding);
    const int left = pixel.column * stride - static_cast<int>(pool.padding);
    float largest[width];
    Vector<uint8_t, width> position = {};
    Vector<T, width> x_of_largest = {};
    bool first = true;
    for (int i = max(0, -top); i < min(kernel_size, height - top); ++i) {
      for (int j = max(0, -left); j < min(kernel_size, across - left); ++j) {
        const int64_t from = (static_cast<int64_t>(pixel.sample) * height + top + i) * across + left + j;
        const auto values = load<width>(x + from * pool.channels + visit.channel);
        for (int c = 0; c < width; ++c) {
          const float value = Relu()(factors.normalize(to_float(values[c]), c));
          if (first || value > largest[c] || value != value) {
            largest[c] = value;
            position[c] = static_cast<uint8_t>(i * kernel_size + j);
            x_of_largest[c] = values[c];
          }
        }
        first = false;
      }
    }
    Vector<T, width> result;
    for (int c = 0; c < width; ++c) result[c] = from_float<T>(largest[c]);
    store(y + out * pool.channels + visit.channel, result);
    store(taken + out * pool.channels + visit.channel, position);
    if (taken_x) store(taken_x + out * pool.channels + visit.channel, x_of_largest);
  }
}

template <class T, int width>
__global__ void __launch_bounds__(reduce_threads, least_blocks)
    pooled_backward_data(const T* x, const T* dy, const T* second_dy, const uint8_t* taken,
                         BatchNormNormalization normalization, const float* dgamma, const float* dbeta, float share,
                         T* dx, Pool2d pool, int64_t rows_per_chunk) {
  const Visit<width> visit(pool.batch * pool.height * pool.width, pool.channels, rows_per_chunk, Chunks::descending);
  const Factors<width> factors(normalization, pool.channels);
  const DataGradientFactors<width> gradient(normalization, dgamma, dbeta, share, pool.channels);
  for (int64_t in = visit.row; in < visit.end; in += visit.step) {
    const Pixel pixel(in, static_cast<int>(pool.height), static_cast<int>(pool.width));
    float d[width] = {};
    gather_gradient<T, width>(dy, second_dy, taken, pool, pixel.sample, pixel.row, pixel.column, visit.channel, d);
    const int64_t element = in * pool.channels + visit.channel;
    const auto values = load<width>(x + element);
    Vector<T, width> out;
    for (int c = 0; c < width; ++c) {
      const float value = to_float(values[c]), dz = ReluGradient()(factors.normalize(value, c), d[c]);
      out[c] = from_float<T>(gradient(factors, value, dz, c));
    }
    store(dx + element, out);
  }
}

void require_countable(const Pool2d& pool) {
  MELGRAD_CHECK(pool.batch * pool.height * pool.width <= INT32_MAX,
                "batch_norm_max_pool2d: {}x{}x{} pixels are too many", pool.batch, pool.height, pool.width);
}

}  // namespace

void batch_norm_max_pool2d_forward(Stream& stream, const void* x, BatchNormNormalization normalization, void* y,
                                   Maxima<uint8_t, void> maxima, DType dtype, Pool2d pool) {
  require_valid(pool);
  require_countable(pool);
  if (pool.batch * pool.channels == 0) return;
  const auto& [affine, constants] = normalization;
  dispatch(
      dtype, pool.channels,
      {x, y, maxima.taken, maxima.x, affine.gamma, affine.beta, constants.mean, constants.inverse_std, constants.var},
      [&]<class T, int width>() {
        const Cut cut(pool.batch * pool.out_height() * pool.out_width(), pool.channels, width);
        launch(normalize_and_pool<T, width>, cut.grid(), cut.block(), 0, stream, static_cast<const T*>(x),
               normalization, static_cast<T*>(y), maxima.taken, static_cast<T*>(maxima.x), pool, cut.rows_per_chunk);
      });
}

void batch_norm_max_pool2d_backward(Stream& stream, const void* x, const void* dy, const void* second_dy,
                                    Maxima<const uint8_t, const void> maxima, BatchNormNormalization normalization,
                                    bool training, void* dx, float* dgamma, float* dbeta, DType dtype, Pool2d pool) {
  require_valid(pool);
  require_countable(pool);
  const int64_t rows = pool.batch * pool.height * pool.width;
  if (rows * pool.channels == 0) return;
  batch_norm_backward_sums(stream, maxima.x, {.dy = dy, .relu = true, .second_dy = second_dy}, normalization, dgamma,
                           dbeta, {dtype, pool.batch * pool.out_height() * pool.out_width(), pool.channels});
  const auto& [affine, constants] = normalization;
  dispatch(dtype, pool.channels,
           {x, dy, second_dy, maxima.taken, dx, affine.gamma, affine.beta, constants.mean, constants.inverse_std,
            constants.var, dgamma, dbeta},
           [&]<class T, int width>() {
             const Cut cut(rows, pool.channels, width);
             const auto* const in = static_cast<const T*>(x);
             const auto *const d = static_cast<const T*>(dy), *const second = static_cast<const T*>(second_dy);
             launch(pooled_backward_data<T, width>, cut.grid(), cut.block(), 0, stream, in, d, second, maxima.taken,
                    normalization, dgamma, dbeta, training ? 1 / static_cast<float>(rows) : 0.0f, static_cast<T*>(dx),
                    pool, cut.rows_per_chunk);
           });
}

}  // namespace melgrad::kernel::cuda
