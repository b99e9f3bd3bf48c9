// Converts float32 to a 16-bit type, rounding to nearest even, or a 16-bit type to float32, which is exact.
#pragma once

#include "kernels/device/kernel.h"

namespace melgrad::kernel {

// x has n elements of type `from`, y has n elements of type `to`; one of the types is float32, the other bfloat16 or
// float16. x and y must not alias.
KERNEL(cast, const void* x, DType from, void* y, DType to, int64_t n)

}  // namespace melgrad::kernel
