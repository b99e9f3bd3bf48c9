// y = x * factor, n elements; the factor is one float in device memory, such as an incoming gradient of a scalar.
// y may alias x.
#pragma once

#include "kernels/device/kernel.h"

namespace melgrad::kernel {

KERNEL(scale, const void* x, const float* factor, void* y, DType dtype, int64_t n)

}  // namespace melgrad::kernel
