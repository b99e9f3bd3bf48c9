// Rectified linear unit: y = max(x, 0). n elements of any shape; NaN stays NaN. y may alias x, dx may alias dy.
#pragma once

#include "kernels/device/kernel.h"

namespace melgrad::kernel {

KERNEL(relu_forward, const void* x, void* y, DType dtype, int64_t n)
// The output tells where the input was positive: dx = dy where y > 0, else 0.
KERNEL(relu_backward, const void* y, const void* dy, void* dx, DType dtype, int64_t n)

}  // namespace melgrad::kernel
