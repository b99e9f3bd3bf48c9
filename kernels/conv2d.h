// Two-dimensional convolution (cross-correlation, as in every deep-learning framework) of NHWC activations.
// Weights are [out_channels, kernel_height, kernel_width, in_channels], which is the memory of a PyTorch
// [out_channels, in_channels, kernel_height, kernel_width] weight in its channels-last format.
// x and dx are [batch, height, width, in_channels]; y and dy are [batch, out_height, out_width, out_channels]. No
// pointers may alias. Every output is written, not added to. It repeats to the bit from run to run on a CPU,
// and on a GPU under set_deterministic (kernels/device/deterministic.h).
#pragma once

#include "kernels/device/convolution.h"
#include "kernels/device/kernel.h"

namespace melgrad::kernel {

// y = x * w + bias; bias is float32 [out_channels], or null for none.
KERNEL(conv2d_forward, const void* x, const void* w, const float* bias, void* y, DType dtype, Conv2d conv)
// dx: the gradient with respect to x.
KERNEL(conv2d_backward_data, const void* dy, const void* w, void* dx, DType dtype, Conv2d conv)
// dw: the gradient with respect to w. The bias's gradient is column_sum of dy.
KERNEL(conv2d_backward_filter, const void* x, const void* dy, void* dw, DType dtype, Conv2d conv)

}  // namespace melgrad::kernel
