// Max pooling of an NHWC activation, padded with minus infinity, as torch.nn.MaxPool2d computes it. A NaN counts as the
// maximum of its window; of equal maxima the first in row-major order counts. x, y, dx and dy carry `dtype`; inputs and
// outputs must not alias.
#pragma once

#include <algorithm>

#include "kernels/device/host_device.h"
#include "kernels/device/kernel.h"

namespace melgrad::kernel {

struct Pool2d {
  int64_t batch, height, width, channels;  // of the input
  int64_t kernel_size, stride, padding;    // the same along height and width; 0 <= padding <= kernel_size / 2
  MELGRAD_HOST_DEVICE int64_t out_height() const { return (height + 2 * padding - kernel_size) / stride + 1; }
  MELGRAD_HOST_DEVICE int64_t out_width() const { return (width + 2 * padding - kernel_size) / stride + 1; }
};

inline std::string describe(const Pool2d& p) {
  return fmt::format("{}x{}x{}x{}, windows of {}x{}, stride {}, padding {}", p.batch, p.height, p.width, p.channels,
                     p.kernel_size, p.kernel_size, p.stride, p.padding);
}

// Throws Error unless every window contains an input element and a position in a window fits one byte.
inline void require_valid(const Pool2d& pool) {
  MELGRAD_CHECK(pool.kernel_size >= 1 && pool.kernel_size <= 16 && pool.stride >= 1,
                "max_pool2d needs a kernel size of 1 to 16 and a stride of at least 1, got {} and {}", pool.kernel_size,
                pool.stride);
  MELGRAD_CHECK(pool.padding >= 0 && pool.padding <= pool.kernel_size / 2,
                "max_pool2d: padding {} is not from 0 to half the kernel size {}", pool.padding, pool.kernel_size);
  MELGRAD_CHECK(std::min(pool.height, pool.width) + 2 * pool.padding >= pool.kernel_size,
                "max_pool2d: an input of {}x{} is smaller than the kernel size {}", pool.height, pool.width,
                pool.kernel_size);
}

// x [batch, height, width, channels] -> y [batch, out_height, out_width, channels]. `taken` has the shape of y and
// receives the position of each maximum in its window, row * kernel_size + column. Needs kernel_size <= 16.
KERNEL(max_pool2d_forward, const void* x, void* y, uint8_t* taken, DType dtype, Pool2d pool)
// dx = the sum of dy over the windows whose maximum the element is; every element of dx is written.
KERNEL(max_pool2d_backward, const void* dy, const uint8_t* taken, void* dx, DType dtype, Pool2d pool)

}  // namespace melgrad::kernel
