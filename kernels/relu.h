// Rectified linear unit, y = max(x, 0), on arrays of n elements. A NaN stays a NaN. y may alias x, dx may alias dy.
#pragma once

#include "kernels/device/host_device.h"
#include "kernels/device/kernel.h"

namespace melgrad::kernel {

struct Relu {
  // fmaxf would turn a NaN into 0.
  MELGRAD_HOST_DEVICE float operator()(float x) const { return x < 0.0f ? 0.0f : x; }
};

struct ReluGradient {
  MELGRAD_HOST_DEVICE float operator()(float y, float dy) const { return y > 0.0f ? dy : 0.0f; }
};

KERNEL(relu_forward, const void* x, void* y, DType dtype, int64_t n)
// dx = dy where y > 0, which is where x > 0; else 0.
KERNEL(relu_backward, const void* y, const void* dy, void* dx, DType dtype, int64_t n)

}  // namespace melgrad::kernel
