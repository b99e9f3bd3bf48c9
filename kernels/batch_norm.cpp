#include "kernels/batch_norm.h"

#include <cmath>
#include <vector>

#include "kernels/device/parallel.h"

namespace melgrad::kernel::cpu {
namespace {

// Enough elements to outweigh the cost of starting a task, few enough to stay in a core's cache.
constexpr int64_t elements_per_task = 1 << 15;

int64_t rows_in_chunk(int64_t channels) { return std::max<int64_t>(16, elements_per_task / channels); }

struct ColumnSums {
  std::vector<double> first, second;  // [channels]
};

// Two sums over the rows of each channel: term(element, channel, first, second) adds the contribution of one element.
// In double precision sum(x^2) - sum(x)^2 / rows loses little, because the square of a float32 value is exact.
template <class Term>
ColumnSums sum_columns(int64_t rows, int64_t channels, Term term) {
  const int64_t chunk_rows = rows_in_chunk(channels);
  const int64_t chunks = (rows + chunk_rows - 1) / chunk_rows;
  std::vector<double> partial(static_cast<size_t>(chunks * 2 * channels));
  for_each_chunk(rows, chunk_rows, [&](int64_t chunk, int64_t begin, int64_t end) {
    double* first = partial.data() + chunk * 2 * channels;
    double* second = first + channels;
    int64_t row = begin;
    for (; row + 4 <= end; row += 4) {
#pragma omp simd
      for (int64_t c = 0; c < channels; ++c) {
        double a = 0, b = 0;
        for (int64_t i = 0; i < 4; ++i) term((row + i) * channels + c, c, a, b);
        first[c] += a;
        second[c] += b;
      }
    }
    for (; row < end; ++row) {
#pragma omp simd
      for (int64_t c = 0; c < channels; ++c) term(row * channels + c, c, first[c], second[c]);
    }
  });
  ColumnSums sums{std::vector<double>(static_cast<size_t>(channels)),
                  std::vector<double>(static_cast<size_t>(channels))};
  for (int64_t chunk = 0; chunk < chunks; ++chunk) {
    const double* first = partial.data() + chunk * 2 * channels;
    for (int64_t c = 0; c < channels; ++c) {
      sums.first[static_cast<size_t>(c)] += first[c];
      sums.second[static_cast<size_t>(c)] += first[channels + c];
    }
  }
  return sums;
}

// Calls body(element, channel) for every element; the calls for one row must be independent.
template <class Body>
void for_each_element(int64_t rows, int64_t channels, Body body) {
  for_each_chunk(rows, rows_in_chunk(channels), [&](int64_t, int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
#pragma omp simd
      for (int64_t c = 0; c < channels; ++c) body(row * channels + c, c);
    }
  });
}

// y = (x - mean) * scale + beta. The form x * scale + shift would lose digits if |mean| is large.
void normalize(const float* x, const float* mean, const float* scale, const float* beta, float* y, int64_t rows,
               int64_t channels) {
  for_each_element(rows, channels, [=](int64_t i, int64_t c) { y[i] = (x[i] - mean[c]) * scale[c] + beta[c]; });
}

// dbeta = sum(dy), dgamma = sum(dy * (x - mean)) * inverse_std.
void parameter_gradients(const float* x, const float* dy, const float* mean, const float* inverse_std, float* dgamma,
                         float* dbeta, int64_t rows, int64_t channels) {
  const ColumnSums sums = sum_columns(rows, channels, [=](int64_t i, int64_t c, double& d, double& d_x) {
    d += dy[i];
    d_x += static_cast<double>(dy[i]) * (x[i] - mean[c]);
  });
  for (int64_t c = 0; c < channels; ++c) {
    dbeta[c] = static_cast<float>(sums.first[static_cast<size_t>(c)]);
    dgamma[c] = static_cast<float>(sums.second[static_cast<size_t>(c)] * inverse_std[c]);
  }
}

std::vector<float> inverse_std_of(const float* var, int64_t channels, float epsilon) {
  std::vector<float> inverse(static_cast<size_t>(channels));
  for (int64_t c = 0; c < channels; ++c) inverse[static_cast<size_t>(c)] = 1.0f / std::sqrt(var[c] + epsilon);
  return inverse;
}

std::vector<float> scales(const float* gamma, const float* inverse_std, int64_t channels) {
  std::vector<float> scale(static_cast<size_t>(channels));
  for (int64_t c = 0; c < channels; ++c) scale[static_cast<size_t>(c)] = gamma[c] * inverse_std[c];
  return scale;
}

}  // namespace

void batch_norm_forward_training(Stream&, const void* x, const float* gamma, const float* beta, void* y, float* mean,
                                 float* inverse_std, float* running_mean, float* running_var, DType dtype, int64_t rows,
                                 int64_t channels, float momentum, float epsilon) {
  require_float32(dtype, "batch_norm_forward_training");
  require_trainable(rows);
  const auto* in = static_cast<const float*>(x);
  const ColumnSums sums = sum_columns(rows, channels, [=](int64_t i, int64_t, double& value, double& square) {
    const double v = in[i];
    value += v;
    square += v * v;
  });
  const auto count = static_cast<double>(rows);
  for (int64_t c = 0; c < channels; ++c) {
    const double average = sums.first[static_cast<size_t>(c)] / count;
    const double squares = sums.second[static_cast<size_t>(c)] - average * sums.first[static_cast<size_t>(c)];
    const double squared_deviations = squares < 0 ? 0 : squares;  // std::max would hide a NaN
    mean[c] = static_cast<float>(average);
    inverse_std[c] = static_cast<float>(1 / std::sqrt(squared_deviations / count + epsilon));
    running_mean[c] += momentum * (mean[c] - running_mean[c]);
    running_var[c] += momentum * (static_cast<float>(squared_deviations / (count - 1)) - running_var[c]);
  }
  const auto scale = scales(gamma, inverse_std, channels);
  normalize(in, mean, scale.data(), beta, static_cast<float*>(y), rows, channels);
}

void batch_norm_forward_evaluation(Stream&, const void* x, const float* gamma, const float* beta,
                                   const float* running_mean, const float* running_var, void* y, DType dtype,
                                   int64_t rows, int64_t channels, float epsilon) {
  require_float32(dtype, "batch_norm_forward_evaluation");
  const auto scale = scales(gamma, inverse_std_of(running_var, channels, epsilon).data(), channels);
  normalize(static_cast<const float*>(x), running_mean, scale.data(), beta, static_cast<float*>(y), rows, channels);
}

void batch_norm_backward_training(Stream&, const void* x, const void* dy, const float* gamma, const float* mean,
                                  const float* inverse_std, void* dx, float* dgamma, float* dbeta, DType dtype,
                                  int64_t rows, int64_t channels) {
  require_float32(dtype, "batch_norm_backward_training");
  const auto* in = static_cast<const float*>(x);
  const auto* d_out = static_cast<const float*>(dy);
  parameter_gradients(in, d_out, mean, inverse_std, dgamma, dbeta, rows, channels);

  const auto scale = scales(gamma, inverse_std, channels);
  std::vector<float> slope(static_cast<size_t>(channels)), offset(static_cast<size_t>(channels));
  const float share = 1.0f / static_cast<float>(rows);
  for (int64_t c = 0; c < channels; ++c) {
    slope[static_cast<size_t>(c)] = inverse_std[c] * dgamma[c] * share;
    offset[static_cast<size_t>(c)] = dbeta[c] * share;
  }
  for_each_element(rows, channels,
                   [=, d_in = static_cast<float*>(dx), a = scale.data(), b = slope.data(), k = offset.data()](
                       int64_t i, int64_t c) { d_in[i] = a[c] * (d_out[i] - k[c] - b[c] * (in[i] - mean[c])); });
}

void batch_norm_backward_evaluation(Stream&, const void* x, const void* dy, const float* gamma,
                                    const float* running_mean, const float* running_var, void* dx, float* dgamma,
                                    float* dbeta, DType dtype, int64_t rows, int64_t channels, float epsilon) {
  require_float32(dtype, "batch_norm_backward_evaluation");
  const auto* d_out = static_cast<const float*>(dy);
  const auto inverse_std = inverse_std_of(running_var, channels, epsilon);
  parameter_gradients(static_cast<const float*>(x), d_out, running_mean, inverse_std.data(), dgamma, dbeta, rows,
                      channels);
  const auto scale = scales(gamma, inverse_std.data(), channels);
  for_each_element(rows, channels, [=, d_in = static_cast<float*>(dx), a = scale.data()](int64_t i, int64_t c) {
    d_in[i] = a[c] * d_out[i];
  });
}

}  // namespace melgrad::kernel::cpu
