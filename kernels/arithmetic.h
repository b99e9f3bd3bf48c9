// Arithmetic on arrays of n elements. y may alias any input.
#pragma once

#include "kernels/device/kernel.h"

namespace melgrad::kernel {

// y = a + b
KERNEL(add, const void* a, const void* b, void* y, DType dtype, int64_t n)
// y = a - b
KERNEL(sub, const void* a, const void* b, void* y, DType dtype, int64_t n)
// y = a * b
KERNEL(mul, const void* a, const void* b, void* y, DType dtype, int64_t n)
// y = -x
KERNEL(negate, const void* x, void* y, DType dtype, int64_t n)
// y = x * factor. The factor is one float in device memory, such as the gradient of a scalar.
KERNEL(scale, const void* x, const float* factor, void* y, DType dtype, int64_t n)

}  // namespace melgrad::kernel
