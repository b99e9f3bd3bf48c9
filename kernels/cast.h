// Values of one dtype as another: float32 to bfloat16, rounded to nearest even, or back, which is exact.
#pragma once

#include "kernels/device/kernel.h"

namespace melgrad::kernel {

// x, n elements of dtype `from` -> y, n elements of the other of the two; they must not alias.
KERNEL(cast, const void* x, DType from, void* y, int64_t n)

}  // namespace melgrad::kernel
