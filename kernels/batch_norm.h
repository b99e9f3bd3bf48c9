// Batch normalisation (Ioffe & Szegedy 2015) of a [rows, channels] matrix; an NHWC activation has rows = N * H * W.
// PyTorch's conventions: y is normalised by the biased variance, running_var averages the unbiased one, and
// running = (1 - momentum) * running + momentum * batch.
// x, y, dy and dx are [rows, channels] of `dtype`; gamma, beta, their gradients and all statistics are float32
// [channels]. y may alias x; dx may alias dy.
#pragma once

#include "kernels/device/kernel.h"

namespace melgrad::kernel {

// Throws Error if rows < 2: the unbiased variance divides by rows - 1.
inline void require_trainable(int64_t rows) {
  MELGRAD_CHECK(rows >= 2, "batch norm needs at least 2 values per channel to train, got {}; use a larger batch", rows);
}

// Training: y = gamma * (x - mean) * inverse_std + beta, where mean and inverse_std = 1 / sqrt(variance + epsilon) are
// the batch's own. Writes both for the backward pass and updates the running statistics. Needs rows >= 2.
KERNEL(batch_norm_forward_training, const void* x, const float* gamma, const float* beta, void* y, float* mean,
       float* inverse_std, float* running_mean, float* running_var, DType dtype, int64_t rows, int64_t channels,
       float momentum, float epsilon)

// Evaluation: y = gamma * (x - running_mean) / sqrt(running_var + epsilon) + beta.
KERNEL(batch_norm_forward_evaluation, const void* x, const float* gamma, const float* beta, const float* running_mean,
       const float* running_var, void* y, DType dtype, int64_t rows, int64_t channels, float epsilon)

// Gradients of the training form. With u = (x - mean) * inverse_std: dbeta = sum(dy), dgamma = sum(dy * u),
// dx = gamma * inverse_std * (dy - dbeta / rows - u * dgamma / rows). All are written, not added to.
KERNEL(batch_norm_backward_training, const void* x, const void* dy, const float* gamma, const float* mean,
       const float* inverse_std, void* dx, float* dgamma, float* dbeta, DType dtype, int64_t rows, int64_t channels)

// Gradients of the evaluation form, in which the statistics are constants: dx = gamma * inverse_std * dy.
KERNEL(batch_norm_backward_evaluation, const void* x, const void* dy, const float* gamma, const float* running_mean,
       const float* running_var, void* dx, float* dgamma, float* dbeta, DType dtype, int64_t rows, int64_t channels,
       float epsilon)

}  // namespace melgrad::kernel
