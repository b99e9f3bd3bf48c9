#include "kernels/batch_norm.h"

#include <cmath>
#include <vector>

#include "kernels/batch_norm_factors.h"
#include "kernels/column_loops.h"
#include "kernels/relu.h"

namespace melgrad::kernel::cpu {
namespace {

// y = z, z + residual, relu(z) or relu(z + residual).
void apply(const float* x, BatchNormEpilogue epilogue, Normalization normalize, float* y, BatchNormSize size) {
  const auto* const residual = static_cast<const float*>(epilogue.residual);
  const auto write = [&](auto value) { for_each_element(size.rows, size.channels, value); };
  if (residual && epilogue.relu) {
    write([=](int64_t i, int64_t c) { y[i] = Relu()(normalize(x[i], c) + residual[i]); });
  } else if (residual) {
    write([=](int64_t i, int64_t c) { y[i] = normalize(x[i], c) + residual[i]; });
  } else if (epilogue.relu) {
    write([=](int64_t i, int64_t c) { y[i] = Relu()(normalize(x[i], c)); });
  } else {
    write([=](int64_t i, int64_t c) { y[i] = normalize(x[i], c); });
  }
}

// Calls body(gradient), where gradient(i, c) is that of z at element i of channel c. It writes dz if the caller wants
// it.
template <class Body>
void with_gradient_of_z(const float* x, const BatchNormOutputGradient& d, Normalization normalize, Body body) {
  const auto* const dy = static_cast<const float*>(d.dy);
  const auto* const second = static_cast<const float*>(d.second_dy);
  const auto* const y = static_cast<const float*>(d.y);
  auto* const dz = static_cast<float*>(d.dz);
  if (dz && second) {
    body([=](int64_t i, int64_t) { return dz[i] = ReluGradient()(y[i], dy[i] + second[i]); });
  } else if (dz) {
    body([=](int64_t i, int64_t) { return dz[i] = ReluGradient()(y[i], dy[i]); });
  } else if (d.relu && second) {
    body([=](int64_t i, int64_t c) { return ReluGradient()(normalize(x[i], c), dy[i] + second[i]); });
  } else if (d.relu) {
    body([=](int64_t i, int64_t c) { return ReluGradient()(normalize(x[i], c), dy[i]); });
  } else {
    body([=](int64_t i, int64_t) { return dy[i]; });
  }
}

// dbeta = sum(dz), dgamma = sum(dz * (x - mean)) * inverse_std.
void sum_gradients(const float* x, const BatchNormOutputGradient& d, Normalization normalize, const float* inverse_std,
                   float* dgamma, float* dbeta, BatchNormSize size) {
  with_gradient_of_z(x, d, normalize, [&](auto gradient) {
    const auto [sum, sum_x] =
        sum_columns<float, 2>(size.rows, size.channels, [=, mean = normalize.mean](int64_t i, int64_t c, auto add) {
          const float dz = gradient(i, c);
          add(dz, dz * (x[i] - mean[c]));
        });
    for (int64_t c = 0; c < size.channels; ++c) {
      dbeta[c] = static_cast<float>(sum[static_cast<size_t>(c)]);
      dgamma[c] = static_cast<float>(sum_x[static_cast<size_t>(c)] * inverse_std[c]);
    }
  });
}

// dx = scale * (dz - dbeta * share - u * dgamma * share). `share` is 1 / rows, or 0 if the statistics are constants.
void backward(const float* x, const BatchNormOutputGradient& d, Normalization normalize, const float* inverse_std,
              float share, float* dx, float* dgamma, float* dbeta, BatchNormSize size) {
  sum_gradients(x, d, normalize, inverse_std, dgamma, dbeta, size);
  const DataGradient data_gradient(inverse_std, dgamma, dbeta, share, size.channels);
  const BatchNormOutputGradient known{.dy = d.dz ? d.dz : d.dy, .relu = d.relu && !d.dz};
  with_gradient_of_z(x, known, normalize, [&](auto gradient) {
    for_each_element(size.rows, size.channels,
                     [=, mean = normalize.mean, a = normalize.scale, b = data_gradient.slope.data(),
                      k = data_gradient.offset.data()](int64_t i, int64_t c) {
                       dx[i] = a[c] * (gradient(i, c) - k[c] - b[c] * (x[i] - mean[c]));
                     });
  });
}

}  // namespace

void batch_norm_statistics(Stream&, const void* x, BatchNormStatistics statistics, RunningStatistics running,
                           BatchNormSize size, float momentum, float epsilon) {
  require_float32(size.dtype, "batch_norm_statistics");
  require_trainable(size.rows);
  const auto* in = static_cast<const float*>(x);
  // Sums of the deviations from the first row: they lose little even if the mean is large against the deviations.
  const auto [sum, sum_of_squares] =
      sum_columns<float, 2>(size.rows, size.channels, [=](int64_t i, int64_t c, auto add) {
        const float deviation = in[i] - in[c];
        add(deviation, deviation * deviation);
      });
  const auto count = static_cast<double>(size.rows);
  for (int64_t c = 0; c < size.channels; ++c) {
    const double average = sum[static_cast<size_t>(c)] / count;
    const double squares = sum_of_squares[static_cast<size_t>(c)] - average * sum[static_cast<size_t>(c)];
    const double squared_deviations = squares < 0 ? 0 : squares;  // std::max would hide a NaN
    statistics.mean[c] = static_cast<float>(static_cast<double>(in[c]) + average);
    statistics.inverse_std[c] = static_cast<float>(1 / std::sqrt(squared_deviations / count + epsilon));
    running.mean[c] += momentum * (statistics.mean[c] - running.mean[c]);
    running.var[c] += momentum * (static_cast<float>(squared_deviations / (count - 1)) - running.var[c]);
  }
  if (running.batches) ++*running.batches;
}

void batch_norm_backward_sums(Stream&, const void* x, BatchNormOutputGradient d, BatchNormNormalization normalization,
                              float* dgamma, float* dbeta, BatchNormSize size) {
  require_float32(size.dtype, "batch_norm_backward_sums");
  const auto inverse_std = inverse_std_of(normalization.constants, size.channels);
  const auto scale = scales(normalization.affine.gamma, inverse_std.data(), size.channels);
  sum_gradients(static_cast<const float*>(x), d,
                {normalization.constants.mean, scale.data(), normalization.affine.beta}, inverse_std.data(), dgamma,
                dbeta, size);
}

void batch_norm_forward_training(Stream& stream, const void* x, BatchNormEpilogue epilogue, BatchNormAffine affine,
                                 void* y, BatchNormStatistics statistics, RunningStatistics running, BatchNormSize size,
                                 float momentum, float epsilon) {
  batch_norm_statistics(stream, x, statistics, running, size, momentum, epsilon);
  const auto scale = scales(affine.gamma, statistics.inverse_std, size.channels);
  apply(static_cast<const float*>(x), epilogue, {statistics.mean, scale.data(), affine.beta}, static_cast<float*>(y),
        size);
}

void batch_norm_forward_evaluation(Stream&, const void* x, BatchNormEpilogue epilogue, BatchNormAffine affine, void* y,
                                   RunningStatistics running, BatchNormSize size, float epsilon) {
  require_float32(size.dtype, "batch_norm_forward_evaluation");
  const auto scale = scales(affine.gamma, inverse_std_of(running.var, size.channels, epsilon).data(), size.channels);
  apply(static_cast<const float*>(x), epilogue, {running.mean, scale.data(), affine.beta}, static_cast<float*>(y),
        size);
}

void batch_norm_backward_training(Stream&, const void* x, BatchNormOutputGradient d, BatchNormAffine affine,
                                  BatchNormStatistics statistics, void* dx, float* dgamma, float* dbeta,
                                  BatchNormSize size) {
  require_float32(size.dtype, "batch_norm_backward_training");
  const auto scale = scales(affine.gamma, statistics.inverse_std, size.channels);
  backward(static_cast<const float*>(x), d, {statistics.mean, scale.data(), affine.beta}, statistics.inverse_std,
           1 / static_cast<float>(size.rows), static_cast<float*>(dx), dgamma, dbeta, size);
}

void batch_norm_backward_evaluation(Stream&, const void* x, BatchNormOutputGradient d, BatchNormAffine affine,
                                    RunningStatistics running, void* dx, float* dgamma, float* dbeta,
                                    BatchNormSize size, float epsilon) {
  require_float32(size.dtype, "batch_norm_backward_evaluation");
  const auto inverse_std = inverse_std_of(running.var, size.channels, epsilon);
  const auto scale = scales(affine.gamma, inverse_std.data(), size.channels);
  backward(static_cast<const float*>(x), d, {running.mean, scale.data(), affine.beta}, inverse_std.data(), 0,
           static_cast<float*>(dx), dgamma, dbeta, size);
}

}  // namespace melgrad::kernel::cpu
