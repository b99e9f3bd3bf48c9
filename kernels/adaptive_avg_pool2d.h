// Average pooling of an NHWC activation to a given output size, as torch.nn.AdaptiveAvgPool2d computes it. The window
// of output row i is the input rows floor(i * height / out_height) to ceil((i + 1) * height / out_height) - 1; columns
// likewise. Windows overlap if height is no multiple of out_height. out_height = out_width = 1 is global average
// pooling. x, y, dx and dy carry `dtype`; inputs and outputs must not alias.
#pragma once

#include "kernels/device/host_device.h"
#include "kernels/device/kernel.h"

namespace melgrad::kernel {

struct AdaptivePool2d {
  int64_t batch, height, width, channels;  // of the input
  int64_t out_height, out_width;
};

inline std::string describe(const AdaptivePool2d& p) {
  return fmt::format("{}x{}x{}x{} to {}x{}", p.batch, p.height, p.width, p.channels, p.out_height, p.out_width);
}

// The window [begin, end) of output i, for an axis of `in` inputs and `out` outputs. With the sizes exchanged,
// AdaptiveWindow(i, out, in) is the range of outputs whose windows contain input i.
struct AdaptiveWindow {
  int64_t begin, end;

  MELGRAD_HOST_DEVICE AdaptiveWindow(int64_t i, int64_t in, int64_t out)
      : begin(i * in / out), end(((i + 1) * in + out - 1) / out) {}
  MELGRAD_HOST_DEVICE int64_t size() const { return end - begin; }
};

// x [batch, height, width, channels] -> y [batch, out_height, out_width, channels]
KERNEL(adaptive_avg_pool2d_forward, const void* x, void* y, DType dtype, AdaptivePool2d pool)
// dx = the sum of dy / window size over the windows that contain the element; dx and dy have the shapes of x and y.
KERNEL(adaptive_avg_pool2d_backward, const void* dy, void* dx, DType dtype, AdaptivePool2d pool)

}  // namespace melgrad::kernel
