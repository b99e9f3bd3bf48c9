// The stem of a residual network in one pass over its largest activation: y = max_pool2d(relu(z)), where z is x
// normalised per channel as in batch_norm.h. relu(z) is never stored. Windows, `taken` and NaNs are those of
// max_pool2d.h.
#pragma once

#include "kernels/batch_norm.h"
#include "kernels/max_pool2d.h"

namespace melgrad::kernel {

// The forward pass writes these arrays, and the backward pass reads them. Each is [batch, out_height, out_width,
// channels].
template <class Position, class Value>
struct Maxima {
  Position* taken;
  Value* x;  // the value of x at that position, of the kernel's dtype
};

// x [batch, height, width, channels] -> y and maxima. For training, call batch_norm_statistics before. maxima.x may be
// null if no backward pass follows.
KERNEL(batch_norm_max_pool2d_forward, const void* x, BatchNormNormalization normalization, void* y,
       Maxima<uint8_t, void> maxima, DType dtype, Pool2d pool)

// The gradients of x, gamma and beta as in batch_norm.h: of the training form if `training`, otherwise of the
// evaluation form. second_dy is added to dy unless it is null. dx must not alias x.
KERNEL(batch_norm_max_pool2d_backward, const void* x, const void* dy, const void* second_dy,
       Maxima<const uint8_t, const void> maxima, BatchNormNormalization normalization, bool training, void* dx,
       float* dgamma, float* dbeta, DType dtype, Pool2d pool)

}  // namespace melgrad::kernel
