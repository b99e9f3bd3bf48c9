// A fully connected layer, y = x w^T + bias. x and dx are [n, in_features], y and dy [n, out_features], w and dw
// [out_features, in_features] as in PyTorch; all are row-major and carry `dtype`. No two may alias. Every output is
// written, not added to.
#pragma once

#include "kernels/device/kernel.h"

namespace melgrad::kernel {

// bias is float32 [out_features], or null for none.
KERNEL(linear_forward, const void* x, const void* w, const float* bias, void* y, DType dtype, int64_t n,
       int64_t in_features, int64_t out_features)
// dx = dy w
KERNEL(linear_backward_data, const void* dy, const void* w, void* dx, DType dtype, int64_t n, int64_t in_features,
       int64_t out_features)
// dw = dy^T x. The gradient of the bias is column_sum of dy.
KERNEL(linear_backward_weight, const void* x, const void* dy, void* dw, DType dtype, int64_t n, int64_t in_features,
       int64_t out_features)

}  // namespace melgrad::kernel
