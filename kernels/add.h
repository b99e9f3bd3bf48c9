// Elementwise sum, y = a + b, of n elements. y may alias a or b.
#pragma once

#include "kernels/device/kernel.h"

namespace melgrad::kernel {

KERNEL(add, const void* a, const void* b, void* y, DType dtype, int64_t n)

}  // namespace melgrad::kernel
