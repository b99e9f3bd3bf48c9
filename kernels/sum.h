// The sum of all elements of an array, times a factor: 1 for a sum, 1 / n for a mean.
#pragma once

#include "kernels/device/kernel.h"

namespace melgrad::kernel {

// y [1] = factor * (x[0] + ... + x[n - 1]). x has type `dtype`, y is float32. The result is bit-identical for any
// number of threads.
KERNEL(sum_forward, const void* x, float* y, DType dtype, int64_t n, float factor)
// dx[i] = factor * dy [1]. dx has type `dtype`, dy is float32 in device memory.
KERNEL(sum_backward, const float* dy, void* dx, DType dtype, int64_t n, float factor)

}  // namespace melgrad::kernel
