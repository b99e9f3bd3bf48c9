#include "kernels/batch_norm_max_pool2d.h"

#include <algorithm>
#include <vector>

#include "kernels/batch_norm_factors.h"
#include "kernels/device/parallel.h"
#include "kernels/max_pool2d_rows.h"
#include "kernels/relu.h"

namespace melgrad::kernel::cpu {
namespace {

constexpr int64_t image_rows_per_chunk = 8;  // about as many elements as a core's cache holds

// Calls body(element, channel) for the elements of an image row, which are independent.
template <class Body>
void for_each_in_row(const Pool2d& pool, Body body) {
  for (int64_t column = 0; column < pool.width; ++column) {
#pragma omp simd
    for (int64_t c = 0; c < pool.channels; ++c) body(column * pool.channels + c, c);
  }
}

}  // namespace

// Normalises the input rows of a row of windows into a buffer that stays in the cache, and pools them there.
void batch_norm_max_pool2d_forward(Stream&, const void* x, BatchNormNormalization normalization, void* y,
                                   uint8_t* taken, DType dtype, Pool2d pool) {
  require_float32(dtype, "batch_norm_max_pool2d_forward");
  require_valid(pool);
  const auto inverse_std = inverse_std_of(normalization.constants, pool.channels);
  const auto scale = scales(normalization.affine.gamma, inverse_std.data(), pool.channels);
  const Normalization normalize{normalization.constants.mean, scale.data(), normalization.affine.beta};
  const auto* in = static_cast<const float*>(x);
  auto* out = static_cast<float*>(y);
  const int64_t out_height = pool.out_height(), out_row_elements = pool.out_width() * pool.channels;
  const int64_t row_elements = pool.width * pool.channels, work = row_elements * pool.kernel_size * pool.kernel_size;
  for_each_row(pool.batch * out_height, work, [=](int64_t row) {
    thread_local std::vector<float> buffer;
    buffer.resize(static_cast<size_t>(pool.kernel_size * row_elements));
    float* const normalized = buffer.data();
    const int64_t image = row / out_height, top = row % out_height * pool.stride - pool.padding;
    for (int64_t i = std::max<int64_t>(0, -top); i < std::min(pool.kernel_size, pool.height - top); ++i) {
      const float* const source = in + (image * pool.height + top + i) * row_elements;
      float* const target = normalized + i * row_elements;
      for_each_in_row(pool, [=](int64_t e, int64_t c) { target[e] = Relu()(normalize(source[e], c)); });
    }
    pool_row(normalized, pool, row, out + row * out_row_elements, taken + row * out_row_elements);
  });
}

// The first pass leaves the gradient of z in dx.
void batch_norm_max_pool2d_backward(Stream&, const void* x, const void* dy, const void* second_dy, const uint8_t* taken,
                                    BatchNormNormalization normalization, bool training, void* dx, float* dgamma,
                                    float* dbeta, DType dtype, Pool2d pool) {
  require_float32(dtype, "batch_norm_max_pool2d_backward");
  require_valid(pool);
  const auto inverse_std = inverse_std_of(normalization.constants, pool.channels);
  const auto scale = scales(normalization.affine.gamma, inverse_std.data(), pool.channels);
  const float* const mean = normalization.constants.mean;
  const Normalization normalize{mean, scale.data(), normalization.affine.beta};
  const auto* in = static_cast<const float*>(x);
  auto* d_in = static_cast<float*>(dx);
  const int64_t rows = pool.batch * pool.height, row_elements = pool.width * pool.channels, channels = pool.channels;

  const int64_t chunks = (rows + image_rows_per_chunk - 1) / image_rows_per_chunk;
  std::vector<double> partial(static_cast<size_t>(chunks * 2 * channels));
  for_each_chunk(rows, image_rows_per_chunk, [&](int64_t chunk, int64_t begin, int64_t end) {
    double* const sum = partial.data() + chunk * 2 * channels;
    double* const sum_x = sum + channels;
    for (int64_t row = begin; row < end; ++row) {
      float* const d = d_in + row * row_elements;
      const float* const source = in + row * row_elements;
      std::fill_n(d, row_elements, 0.0f);
      gather_row(static_cast<const float*>(dy), taken, pool, row, d);
      if (second_dy) gather_row(static_cast<const float*>(second_dy), taken, pool, row, d);
      for_each_in_row(pool, [=](int64_t e, int64_t c) { d[e] = ReluGradient()(normalize(source[e], c), d[e]); });
      for (int64_t first = 0; first < pool.width; first += 8) {
        const int64_t last = std::min(first + 8, pool.width);
#pragma omp simd
        for (int64_t c = 0; c < channels; ++c) {
          double of_columns = 0, of_columns_x = 0;
          for (int64_t column = first; column < last; ++column) {
            const int64_t e = column * channels + c;
            of_columns += d[e];
            of_columns_x += static_cast<double>(d[e]) * (source[e] - mean[c]);
          }
          sum[c] += of_columns;
          sum_x[c] += of_columns_x;
        }
      }
    }
  });
  for (int64_t c = 0; c < channels; ++c) {
    double sum = 0, sum_x = 0;
    for (int64_t chunk = 0; chunk < chunks; ++chunk) {
      sum += partial[static_cast<size_t>(chunk * 2 * channels + c)];
      sum_x += partial[static_cast<size_t>((chunk * 2 + 1) * channels + c)];
    }
    dbeta[c] = static_cast<float>(sum);
    dgamma[c] = static_cast<float>(sum_x * inverse_std[static_cast<size_t>(c)]);
  }
  const float share = training ? 1 / static_cast<float>(rows * pool.width) : 0.0f;
  const DataGradient gradient(inverse_std.data(), dgamma, dbeta, share, channels);
  for_each_row(rows, row_elements,
               [=, a = scale.data(), b = gradient.slope.data(), k = gradient.offset.data()](int64_t row) {
                 float* const d = d_in + row * row_elements;
                 const float* const source = in + row * row_elements;
                 for_each_in_row(
                     pool, [=](int64_t e, int64_t c) { d[e] = a[c] * (d[e] - k[c] - b[c] * (source[e] - mean[c])); });
               });
}

}  // namespace melgrad::kernel::cpu
