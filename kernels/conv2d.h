// Two-dimensional convolution (cross-correlation, as in every deep-learning framework) of NHWC activations:
//   y[n, i, j, o] = bias[o] + sum over p, q, c of w[o, p, q, c] x[n, i s + p - padding, j s + q - padding, c]
// where s is the stride. w and dw are [out_channels, kernel_height, kernel_width, in_channels], which is the memory
// layout of a PyTorch weight in channels-last format. x and dx are [batch, height, width, in_channels]; y and dy are
// [batch, out_height, out_width, out_channels]. All carry `dtype`; no two may alias. Every output is written, not added
// to. Results are bit-identical in every run on a CPU, and on a GPU after set_deterministic(true)
// (kernels/device/deterministic.h).
#pragma once

#include "kernels/device/convolution.h"
#include "kernels/device/kernel.h"

namespace melgrad::kernel {

// bias is float32 [out_channels], or null for none.
KERNEL(conv2d_forward, const void* x, const void* w, const float* bias, void* y, DType dtype, Conv2d conv)
// dx: the gradient of x.
KERNEL(conv2d_backward_data, const void* dy, const void* w, void* dx, DType dtype, Conv2d conv)
// dw: the gradient of w. The gradient of the bias is column_sum of dy.
KERNEL(conv2d_backward_filter, const void* x, const void* dy, void* dw, DType dtype, Conv2d conv)

}  // namespace melgrad::kernel
