// Batch normalisation over the rows of an [rows, channels] matrix: an NHWC activation has rows = N * H * W.
// Ioffe & Szegedy 2015, with PyTorch's conventions: the biased variance normalises, the unbiased one is averaged into
// running_var, and running = (1 - momentum) * running + momentum * batch.
// x, y, dy, dx carry `dtype`; gamma, beta and all statistics are float32 [channels]. y may alias x; dx may alias dy.
#pragma once

#include "kernels/device/kernel.h"

namespace melgrad::kernel {

// Throws Error when there are too few rows for the variance that is averaged into running_var.
inline void require_trainable(int64_t rows) {
  MELGRAD_CHECK(rows >= 2, "batch norm needs at least 2 values per channel to train, got {}; use a larger batch", rows);
}

// Training: normalises by the batch's own statistics, saves them for the backward pass (mean and
// inverse_std = 1 / sqrt(var + epsilon)) and updates the running ones. Needs rows >= 2.
KERNEL(batch_norm_forward_training, const void* x, const float* gamma, const float* beta, void* y, float* mean,
       float* inverse_std, float* running_mean, float* running_var, DType dtype, int64_t rows, int64_t channels,
       float momentum, float epsilon)

// Evaluation: y = gamma * (x - running_mean) / sqrt(running_var + epsilon) + beta.
KERNEL(batch_norm_forward_evaluation, const void* x, const float* gamma, const float* beta, const float* running_mean,
       const float* running_var, void* y, DType dtype, int64_t rows, int64_t channels, float epsilon)

// Gradients of the training form. dgamma and dbeta are written, not added to.
KERNEL(batch_norm_backward_training, const void* x, const void* dy, const float* gamma, const float* mean,
       const float* inverse_std, void* dx, float* dgamma, float* dbeta, DType dtype, int64_t rows, int64_t channels)

// Gradients of the evaluation form, in which the statistics are constants.
KERNEL(batch_norm_backward_evaluation, const void* x, const void* dy, const float* gamma, const float* running_mean,
       const float* running_var, void* dx, float* dgamma, float* dbeta, DType dtype, int64_t rows, int64_t channels,
       float epsilon)

}  // namespace melgrad::kernel
