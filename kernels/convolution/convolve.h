// Checks the shapes of the convolutions on the CPU and chooses the algorithm of the forward pass.
#pragma once

#include "kernels/convolution/direct.h"
#include "kernels/convolution/winograd.h"

namespace melgrad::kernel::convolution {

// Throws Error unless `dtype` is float32 and the kernel fits the padded input.
inline void require_valid(const Conv2d& conv, DType dtype, const char* kernel_name) {
  require_float32(dtype, kernel_name);
  MELGRAD_CHECK(conv.out_height() > 0 && conv.out_width() > 0,
                "{}: a {}x{} kernel does not fit an input of {}x{} with padding {}", kernel_name, conv.kernel_height,
                conv.kernel_width, conv.height, conv.width, conv.padding);
}

// The forward pass by the algorithm that suits the shape. Shapes as in conv2d.h.
inline void forward(Stream& stream, const void* x, const void* w, const Epilogue& epilogue, void* y,
                    const Conv2d& conv) {
  const auto convolve = winograd_applies(conv) ? winograd_forward : direct_forward;
  convolve(stream, static_cast<const float*>(x), static_cast<const float*>(w), epilogue, static_cast<float*>(y), conv);
}

}  // namespace melgrad::kernel::convolution
