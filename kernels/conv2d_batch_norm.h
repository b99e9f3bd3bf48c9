// A convolution and the batch norm of its output by running statistics, for evaluation: with c the convolution of x and
// w without a bias (conv2d.h),
//   z = gamma * (c - mean) / sqrt(var + epsilon) + beta [+ residual],   y = z or y = relu(z).
// On the CPU, the convolution applies all of it to each value before it stores it, so memory is passed over once.
#pragma once

#include "kernels/batch_norm.h"
#include "kernels/conv2d.h"

namespace melgrad::kernel {

// Shapes and layout of x, w and y as in conv2d.h; the statistics and gamma and beta are [out_channels], the residual
// has the shape of y. y must not alias x, w or the residual.
KERNEL(conv2d_batch_norm_forward, const void* x, const void* w, BatchNormEpilogue epilogue, BatchNormAffine affine,
       RunningStatistics running, void* y, DType dtype, Conv2d conv, float epsilon)

}  // namespace melgrad::kernel
