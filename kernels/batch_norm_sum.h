// The end of a residual block whose shortcut is normalised too, in one pass over memory: y = relu(z), where z is the
// sum of two activations, each normalised per channel as in batch_norm.h. Both and y are [rows, channels] of `dtype`.
#pragma once

#include "kernels/batch_norm.h"

namespace melgrad::kernel {

// For training, call batch_norm_statistics of x before.
struct BatchNormTerm {
  const void* x;
  BatchNormNormalization normalization;
};

struct BatchNormTermGradient {
  void* dx;
  float *dgamma, *dbeta;
};

// y may alias a.x or b.x.
KERNEL(batch_norm_sum_forward, BatchNormTerm a, BatchNormTerm b, void* y, BatchNormSize size)

// The gradients of x, gamma and beta of both terms as in batch_norm.h: of the training form if `training`, otherwise of
// the evaluation form. second_dy is added to dy unless it is null. Recomputes z to find where relu passed a value. A dx
// may alias dy or second_dy.
KERNEL(batch_norm_sum_backward, BatchNormTerm a, BatchNormTerm b, const void* dy, const void* second_dy, bool training,
       BatchNormTermGradient da, BatchNormTermGradient db, BatchNormSize size)

}  // namespace melgrad::kernel
