// Max pooling over windows of an NHWC activation, padded by minus infinity. A NaN in a window is its maximum, as in
// PyTorch; of equal maxima the first in row order wins.
#pragma once

#include <algorithm>

#include "kernels/device/host_device.h"
#include "kernels/device/kernel.h"

namespace melgrad::kernel {

struct Pool2d {
  int64_t batch, height, width, channels;  // of the input
  int64_t kernel_size, stride, padding;    // 0 <= padding <= kernel_size / 2
  MELGRAD_HOST_DEVICE int64_t out_height() const { return (height + 2 * padding - kernel_size) / stride + 1; }
  MELGRAD_HOST_DEVICE int64_t out_width() const { return (width + 2 * padding - kernel_size) / stride + 1; }
};

// Throws Error unless every window holds at least one element of the input and `taken` fits a byte.
inline void require_valid(const Pool2d& pool) {
  MELGRAD_CHECK(pool.kernel_size >= 1 && pool.kernel_size <= 16 && pool.stride >= 1, "max_pool2d: kernel {}, stride {}",
                pool.kernel_size, pool.stride);
  MELGRAD_CHECK(pool.padding >= 0 && pool.padding <= pool.kernel_size / 2, "max_pool2d: padding {} of kernel {}",
                pool.padding, pool.kernel_size);
  MELGRAD_CHECK(std::min(pool.height, pool.width) + 2 * pool.padding >= pool.kernel_size,
                "max_pool2d: an input of {}x{} is smaller than the kernel {}", pool.height, pool.width,
                pool.kernel_size);
}

// x [batch, height, width, channels] -> y [batch, out_height, out_width, channels]; `taken` (same shape as y) records
// where in its window, row * kernel_size + column, each maximum stood. Needs kernel_size <= 16.
KERNEL(max_pool2d_forward, const void* x, void* y, uint8_t* taken, DType dtype, Pool2d pool)
// Writes every element of dx: the sum of the dy whose maximum it was.
KERNEL(max_pool2d_backward, const void* dy, const uint8_t* taken, void* dx, DType dtype, Pool2d pool)

}  // namespace melgrad::kernel
