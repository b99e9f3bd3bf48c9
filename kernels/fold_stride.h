// A convolution of stride 2 with one channel, as one of stride 1 with four channels (space to depth): each
// 2 x 2 square of pixels becomes one pixel. Tensor cores take channels in groups of 8, so a convolution with one
// channel does 8 times its arithmetic, and the folded one 2.6 times.
//
// With r' = r + (padding mod 2), the input row of output i and kernel row r is 2 i + r - padding = 2 (i + a - p) + b,
// where r' = 2 a + b and p is half the padding, rounded up. So row i + a of the folded input, which begins p rows above
// the image, meets row a of the folded kernel, and b is one of the two rows of a square. The same holds for columns.
#pragma once

#include "kernels/device/convolution.h"
#include "kernels/device/host_device.h"

namespace melgrad::kernel {

struct FoldedStride {
  Conv2d conv;      // the given one
  Conv2d folded;    // its input includes the padding
  int64_t shift;    // of the rows and columns of the kernel
  int64_t padding;  // in squares

  // True if tensor cores compute the convolution, and folding makes it cheaper.
  static bool pays(const Convolution& c) {
    constexpr int64_t most_squares = INT32_MAX - 1024;
    return c.conv.in_channels == 1 && c.conv.stride == 2 && (c.tf32 || c.dtype != DType::float32) &&
           c.conv.batch * (c.conv.height + 2 * c.conv.padding) * (c.conv.width + 2 * c.conv.padding) < most_squares;
  }
  explicit FoldedStride(const Conv2d& c) : conv(c), shift(c.padding % 2), padding((c.padding + shift) / 2) {
    const int64_t kernel_height = (c.kernel_height + shift + 1) / 2, kernel_width = (c.kernel_width + shift + 1) / 2;
    folded = {.batch = c.batch,
              .height = c.out_height() + kernel_height - 1,
              .width = c.out_width() + kernel_width - 1,
              .in_channels = 4,
              .out_channels = c.out_channels,
              .kernel_height = kernel_height,
              .kernel_width = kernel_width,
              .stride = 1,
              .padding = 0};
  }
  // Of the folded input and of the folded filters.
  int64_t image_elements() const { return folded.batch * folded.height * folded.width * folded.in_channels; }
  MELGRAD_HOST_DEVICE int64_t kernel_elements() const {
    return folded.out_channels * folded.kernel_height * folded.kernel_width * folded.in_channels;
  }
};

}  // namespace melgrad::kernel
