#include "kernels/batch_norm_max_pool2d.h"

#include <algorithm>
#include <vector>

#include "kernels/batch_norm_factors.h"
#include "kernels/device/parallel.h"
#include "kernels/max_pool2d_rows.h"
#include "kernels/relu.h"

namespace melgrad::kernel::cpu {
namespace {

// Calls body(element, channel) for the elements of an image row, which are independent.
template <class Body>
void for_each_in_row(const Pool2d& pool, Body body) {
  for (int64_t column = 0; column < pool.width; ++column) {
#pragma omp simd
    for (int64_t c = 0; c < pool.channels; ++c) body(column * pool.channels + c, c);
  }
}

// target[c] = x[c] where the window took this position.
void copy_taken(const float* x, const uint8_t* taken, uint8_t position, float* target, int64_t channels) {
#pragma omp simd
  for (int64_t c = 0; c < channels; ++c) target[c] = taken[c] == position ? x[c] : target[c];
}

// The values of x at the maxima of output row `row` of batch * out_height rows, from the input rows of its windows,
// which pool_row() describes.
void copy_taken_row(const float* top_row, const Pool2d& pool, int64_t row, const uint8_t* taken, float* target) {
  const Taps rows(row % pool.out_height() * pool.stride - pool.padding, pool.kernel_size, pool.height);
  for (int64_t column = 0; column < pool.out_width(); ++column, taken += pool.channels, target += pool.channels) {
    const int64_t left = column * pool.stride - pool.padding;
    const Taps columns(left, pool.kernel_size, pool.width);
    for (int64_t i = rows.begin; i < rows.end; ++i) {
      for (int64_t j = columns.begin; j < columns.end; ++j) {
        copy_taken(top_row + (i * pool.width + left + j) * pool.channels, taken,
                   static_cast<uint8_t>(i * pool.kernel_size + j), target, pool.channels);
      }
    }
  }
}

}  // namespace

// Normalises the input rows of a row of windows into a buffer that stays in the cache, and pools them there.
void batch_norm_max_pool2d_forward(Stream&, const void* x, BatchNormNormalization normalization, void* y,
                                   Maxima<uint8_t, void> maxima, DType dtype, Pool2d pool) {
  require_float32(dtype, "batch_norm_max_pool2d_forward");
  require_valid(pool);
  const auto inverse_std = inverse_std_of(normalization.constants, pool.channels);
  const auto scale = scales(normalization.affine.gamma, inverse_std.data(), pool.channels);
  const Normalization normalize{normalization.constants.mean, scale.data(), normalization.affine.beta};
  const auto* in = static_cast<const float*>(x);
  auto *out = static_cast<float*>(y), *taken_x = static_cast<float*>(maxima.x);
  const int64_t out_height = pool.out_height(), out_row_elements = pool.out_width() * pool.channels;
  const int64_t row_elements = pool.width * pool.channels, work = row_elements * pool.kernel_size * pool.kernel_size;
  for_each_row(pool.batch * out_height, work, [=](int64_t row) {
    thread_local std::vector<float> buffer;
    buffer.resize(static_cast<size_t>(pool.kernel_size * row_elements));
    float* const normalized = buffer.data();
    const int64_t image = row / out_height, top = row % out_height * pool.stride - pool.padding;
    const float* const top_row = in + (image * pool.height + top) * row_elements;
    for (int64_t i = std::max<int64_t>(0, -top); i < std::min(pool.kernel_size, pool.height - top); ++i) {
      const float* const source = top_row + i * row_elements;
      float* const target = normalized + i * row_elements;
      for_each_in_row(pool, [=](int64_t e, int64_t c) { target[e] = Relu()(normalize(source[e], c)); });
    }
    uint8_t* const taken = maxima.taken + row * out_row_elements;
    pool_row(normalized, pool, row, out + row * out_row_elements, taken);
    if (taken_x) copy_taken_row(top_row, pool, row, taken, taken_x + row * out_row_elements);
  });
}

void batch_norm_max_pool2d_backward(Stream& stream, const void* x, const void* dy, const void* second_dy,
                                    Maxima<const uint8_t, const void> maxima, BatchNormNormalization normalization,
                                    bool training, void* dx, float* dgamma, float* dbeta, DType dtype, Pool2d pool) {
  require_float32(dtype, "batch_norm_max_pool2d_backward");
  require_valid(pool);
  batch_norm_backward_sums(stream, maxima.x, {.dy = dy, .relu = true, .second_dy = second_dy}, normalization, dgamma,
                           dbeta, {dtype, pool.batch * pool.out_height() * pool.out_width(), pool.channels});
  const auto inverse_std = inverse_std_of(normalization.constants, pool.channels);
  const auto scale = scales(normalization.affine.gamma, inverse_std.data(), pool.channels);
  const float* const mean = normalization.constants.mean;
  const Normalization normalize{mean, scale.data(), normalization.affine.beta};
  const auto* in = static_cast<const float*>(x);
  auto* d_in = static_cast<float*>(dx);
  const int64_t rows = pool.batch * pool.height, row_elements = pool.width * pool.channels;
  const float share = training ? 1 / static_cast<float>(rows * pool.width) : 0.0f;
  const DataGradient gradient(inverse_std.data(), dgamma, dbeta, share, pool.channels);
  for_each_row(rows, row_elements,
               [=, a = scale.data(), b = gradient.slope.data(), k = gradient.offset.data()](int64_t row) {
                 float* const d = d_in + row * row_elements;
                 const float* const source = in + row * row_elements;
                 std::fill_n(d, row_elements, 0.0f);
                 gather_row(static_cast<const float*>(dy), maxima.taken, pool, row, d);
                 if (second_dy) gather_row(static_cast<const float*>(second_dy), maxima.taken, pool, row, d);
                 for_each_in_row(pool, [=](int64_t e, int64_t c) {
                   const float dz = ReluGradient()(normalize(source[e], c), d[e]);
                   d[e] = a[c] * (dz - k[c] - b[c] * (source[e] - mean[c]));
                 });
               });
}

}  // namespace melgrad::kernel::cpu
