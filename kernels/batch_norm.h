// Batch normalisation (Ioffe & Szegedy 2015) of a [rows, channels] matrix; an NHWC activation has rows = N * H * W. In
// the same pass over memory it computes what follows in a residual network:
//   z = gamma * (x - mean) * inverse_std + beta [+ residual],   y = z or y = relu(z).
// PyTorch's conventions: z is normalised by the biased variance, running_var averages the unbiased one, and
// running = (1 - momentum) * running + momentum * batch.
// x, residual, y, z and their gradients are [rows, channels] of `dtype`; gamma, beta, their gradients and all
// statistics are float32 [channels].
#pragma once

#include "kernels/device/host_device.h"
#include "kernels/device/kernel.h"

namespace melgrad::kernel {

struct BatchNormSize {
  DType dtype;
  int64_t rows, channels;
};

inline std::string describe(const BatchNormSize& size) {
  return fmt::format("{}x{} {}", size.rows, size.channels, name_of(size.dtype));
}

struct BatchNormAffine {
  const float *gamma, *beta;
};

// The kernel applies these operations after the normalisation.
struct BatchNormEpilogue {
  const void* residual = nullptr;  // added to the normalised values if given
  bool relu = false;
};

inline std::string describe(const BatchNormEpilogue& epilogue) {
  if (epilogue.residual) return epilogue.relu ? "add, relu" : "add";
  return epilogue.relu ? "relu" : "";
}

struct BatchNormStatistics {
  float *mean, *inverse_std;
};

struct RunningStatistics {
  float *mean, *var;
  uint64_t* batches = nullptr;  // counts the batches if given
};

// The normalisation that a kernel applies: by inverse_std if it is given, otherwise by 1 / sqrt(var + epsilon).
struct BatchNormConstants {
  const float *mean, *inverse_std, *var = nullptr;
  float epsilon = 0;
};
inline BatchNormConstants constants_of(BatchNormStatistics s) { return {.mean = s.mean, .inverse_std = s.inverse_std}; }
inline BatchNormConstants constants_of(RunningStatistics s, float epsilon) {
  return {.mean = s.mean, .inverse_std = nullptr, .var = s.var, .epsilon = epsilon};
}

struct BatchNormNormalization {
  BatchNormAffine affine;
  BatchNormConstants constants;
};

// The gradient of y, from which the kernels derive that of z.
struct BatchNormOutputGradient {
  const void* dy;
  bool relu = false;
  // Without `dz`, the kernels recompute z from x to find where relu passed a value. With it, they write the gradient of
  // z there, which is also that of the residual; where relu passed a value follows from `y`.
  void* dz = nullptr;
  const void* y = nullptr;
  // Added to dy if given. The backward passes take it only with dz, batch_norm_backward_sums also with relu alone.
  const void* second_dy = nullptr;
};

// Throws Error if rows < 2: the unbiased variance divides by rows - 1.
inline void require_trainable(int64_t rows) {
  MELGRAD_CHECK(rows >= 2, "batch norm needs at least 2 values per channel to train, got {}; use a larger batch", rows);
}

// The first half of training: mean and inverse_std = 1 / sqrt(variance + epsilon) of the batch, and the update of the
// running statistics. Needs rows >= 2.
KERNEL(batch_norm_statistics, const void* x, BatchNormStatistics statistics, RunningStatistics running,
       BatchNormSize size, float momentum, float epsilon)

// Training: mean and inverse_std = 1 / sqrt(variance + epsilon) are the batch's own. Writes both for the backward pass
// and updates the running statistics. Needs rows >= 2. y may alias x or the residual.
KERNEL(batch_norm_forward_training, const void* x, BatchNormEpilogue epilogue, BatchNormAffine affine, void* y,
       BatchNormStatistics statistics, RunningStatistics running, BatchNormSize size, float momentum, float epsilon)

// Evaluation: normalises by the running statistics. y may alias x or the residual.
KERNEL(batch_norm_forward_evaluation, const void* x, BatchNormEpilogue epilogue, BatchNormAffine affine, void* y,
       RunningStatistics running, BatchNormSize size, float epsilon)

// Gradients of the training form. With u = (x - mean) * inverse_std: dbeta = sum(dz), dgamma = sum(dz * u),
// dx = gamma * inverse_std * (dz - dbeta / rows - u * dgamma / rows). All are written, not added to. dx may alias dy.
KERNEL(batch_norm_backward_training, const void* x, BatchNormOutputGradient d, BatchNormAffine affine,
       BatchNormStatistics statistics, void* dx, float* dgamma, float* dbeta, BatchNormSize size)

// The sums of both backward passes alone: dgamma and dbeta.
KERNEL(batch_norm_backward_sums, const void* x, BatchNormOutputGradient d, BatchNormNormalization normalization,
       float* dgamma, float* dbeta, BatchNormSize size)

// Gradients of the evaluation form, in which the statistics are constants: dx = gamma * inverse_std * dz.
KERNEL(batch_norm_backward_evaluation, const void* x, BatchNormOutputGradient d, BatchNormAffine affine,
       RunningStatistics running, void* dx, float* dgamma, float* dbeta, BatchNormSize size, float epsilon)

}  // namespace melgrad::kernel
