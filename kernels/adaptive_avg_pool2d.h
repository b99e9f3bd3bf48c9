// Average pooling to a given output size. Output row i is the mean of input rows floor(i * height / out_height) up to,
// not including, ceil((i + 1) * height / out_height), columns likewise: PyTorch's rule, whose windows overlap where the
// sizes do not divide. out_height = out_width = 1 is global average pooling.
#pragma once

#include "kernels/kernel.h"

namespace melgrad::kernel {

struct AdaptivePool2d {
  int64_t batch, height, width, channels;  // of the input
  int64_t out_height, out_width;
};

// x [batch, height, width, channels] -> y [batch, out_height, out_width, channels]
HOST_KERNEL(adaptive_avg_pool2d_forward, const void* x, void* y, DType dtype, AdaptivePool2d pool)
// Writes every element of dx: the sum over the windows it stands in of dy / window size.
HOST_KERNEL(adaptive_avg_pool2d_backward, const void* dy, void* dx, DType dtype, AdaptivePool2d pool)

}  // namespace melgrad::kernel
