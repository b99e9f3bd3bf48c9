// Max pooling over windows of an NHWC activation, padded by minus infinity. A NaN in a window is its maximum, as in
// PyTorch; of equal maxima the first in row order wins.
#pragma once

#include <algorithm>

#include "kernels/device/host_device.h"
#include "kernels/device/kernel.h"

namespace melgrad::kernel {

struct Pool2d {
  int64_t batch, height, width, channels;  // of the input
  int64_t kernel, stride, padding;         // 0 <= padding <= kernel / 2
  MELGRAD_HOST_DEVICE int64_t out_height() const { return (height + 2 * padding - kernel) / stride + 1; }
  MELGRAD_HOST_DEVICE int64_t out_width() const { return (width + 2 * padding - kernel) / stride + 1; }
};

// Throws Error unless every window holds at least one element of the input and `taken` fits a byte.
inline void require_valid(const Pool2d& pool) {
  MELGRAD_CHECK(pool.kernel >= 1 && pool.kernel <= 16 && pool.stride >= 1, "max_pool2d: kernel {}, stride {}",
                pool.kernel, pool.stride);
  MELGRAD_CHECK(pool.padding >= 0 && pool.padding <= pool.kernel / 2, "max_pool2d: padding {} of kernel {}",
                pool.padding, pool.kernel);
  MELGRAD_CHECK(std::min(pool.height, pool.width) + 2 * pool.padding >= pool.kernel,
                "max_pool2d: an input of {}x{} is smaller than the kernel {}", pool.height, pool.width, pool.kernel);
}

// x [batch, height, width, channels] -> y [batch, out_height, out_width, channels]; `taken` (same shape as y) records
// where in its window, row * kernel + column, each maximum stood. Needs kernel <= 16.
KERNEL(max_pool2d_forward, const void* x, void* y, uint8_t* taken, DType dtype, Pool2d pool)
// Writes every element of dx: the sum of the dy whose maximum it was.
KERNEL(max_pool2d_backward, const void* dy, const uint8_t* taken, void* dx, DType dtype, Pool2d pool)

}  // namespace melgrad::kernel
