// sums[c] = the sum over the rows of x[row, c]. This is the gradient of a bias. An NHWC dy has rows = N * H * W.
#pragma once

#include "kernels/device/kernel.h"

namespace melgrad::kernel {

// x [rows, columns] of `dtype` -> sums float32 [columns], written, not added to. They must not alias.
KERNEL(column_sum, const void* x, float* sums, DType dtype, int64_t rows, int64_t columns)

}  // namespace melgrad::kernel
