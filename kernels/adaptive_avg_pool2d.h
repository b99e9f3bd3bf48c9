// Average pooling to a given output size. Output row i is the mean of input rows floor(i * height / out_height) up to,
// not including, ceil((i + 1) * height / out_height), columns likewise: PyTorch's rule, whose windows overlap where the
// sizes do not divide. out_height = out_width = 1 is global average pooling.
#pragma once

#include "kernels/device/host_device.h"
#include "kernels/device/kernel.h"

namespace melgrad::kernel {

struct AdaptivePool2d {
  int64_t batch, height, width, channels;  // of the input
  int64_t out_height, out_width;
};

// The window [begin, end) of output i of `out` over an axis of `in` elements. Turned around, AdaptiveWindow(i, out, in)
// are the outputs in whose windows element i stands.
struct AdaptiveWindow {
  int64_t begin, end;

  MELGRAD_HOST_DEVICE AdaptiveWindow(int64_t i, int64_t in, int64_t out)
      : begin(i * in / out), end(((i + 1) * in + out - 1) / out) {}
  MELGRAD_HOST_DEVICE int64_t size() const { return end - begin; }
};

// x [batch, height, width, channels] -> y [batch, out_height, out_width, channels]
KERNEL(adaptive_avg_pool2d_forward, const void* x, void* y, DType dtype, AdaptivePool2d pool)
// Writes every element of dx: the sum over the windows it stands in of dy / window size.
KERNEL(adaptive_avg_pool2d_backward, const void* dy, void* dx, DType dtype, AdaptivePool2d pool)

}  // namespace melgrad::kernel
