// Sums of the columns of a [rows, columns] matrix: the gradient of a bias, for which an NHWC dy has rows = N * H * W.
#pragma once

#include "kernels/device/kernel.h"

namespace melgrad::kernel {

// x carries `dtype`; sums, float32 [columns], is written, not added to.
KERNEL(column_sum, const void* x, float* sums, DType dtype, int64_t rows, int64_t columns)

}  // namespace melgrad::kernel
