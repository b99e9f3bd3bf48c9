// Sigmoid linear unit, y = x * sigmoid(x) = x / (1 + exp(-x)) (Elfwing et al. 2017), on arrays of n elements. y may
// alias x, dx may alias dy.
#pragma once

#include <cmath>

#include "kernels/device/host_device.h"
#include "kernels/device/kernel.h"

namespace melgrad::kernel {

struct Silu {
  MELGRAD_HOST_DEVICE float operator()(float x) const { return x / (1 + std::exp(-x)); }
};

struct SiluGradient {
  MELGRAD_HOST_DEVICE float operator()(float x, float dy) const {
    const float sigmoid = 1 / (1 + std::exp(-x));
    return dy * sigmoid * (1 + x * (1 - sigmoid));
  }
};

KERNEL(silu_forward, const void* x, void* y, DType dtype, int64_t n)
KERNEL(silu_backward, const void* x, const void* dy, void* dx, DType dtype, int64_t n)

}  // namespace melgrad::kernel
