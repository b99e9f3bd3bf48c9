// Converts float32 to bfloat16, rounding to nearest even, or bfloat16 to float32, which is exact.
#pragma once

#include "kernels/device/kernel.h"

namespace melgrad::kernel {

// x has n elements of type `from`, float32 or bfloat16; y has n elements of the other type. x and y must not alias.
KERNEL(cast, const void* x, DType from, void* y, int64_t n)

}  // namespace melgrad::kernel
