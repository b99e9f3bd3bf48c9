// Convolutions by cuDNN, or by its replacement on the emulated device: see kernels/device/convolution.h.
//
// Memory traffic: x, w and y at least once each, 4 bytes per element in float32, 2 in 16-bit types; the true figure
// depends on the execution plan that cuDNN chose. A bias adds a pass over y: 8 or 4 bytes per element.
//
// cuDNN works on NHWC directly, so nothing is transposed. The execution plan is the fastest of those measured; in
// deterministic mode it is the first candidate, which is not measured.
#include "kernels/conv2d.h"

#include "kernels/bias.cuh"
#include "kernels/device/convolution.h"
#include "kernels/device/cuda.cuh"
#include "kernels/device/tf32.h"

namespace melgrad::kernel::cuda {
namespace {

void check_and_convolve(Stream& stream, ConvolutionPass pass, DType dtype, const Conv2d& conv, const void* x,
                        const void* w, const void* y) {
  const Convolution convolution{pass, dtype, conv, dtype == DType::float32 && tf32()};
  constexpr uintptr_t alignment = 16;
  MELGRAD_CHECK(conv.out_height() > 0 && conv.out_width() > 0, "conv2d {}: the kernel does not fit the padded input",
                describe(convolution));
  for (const void* pointer : {x, w, y}) {
    MELGRAD_CHECK(reinterpret_cast<uintptr_t>(pointer) % alignment == 0, "conv2d {}: {} is not aligned to {} bytes",
                  describe(convolution), fmt::ptr(pointer), alignment);
  }
  convolve(stream, convolution, x, w, y);
}

}  // namespace

void conv2d_forward(Stream& stream, const void* x, const void* w, const float* bias, void* y, DType dtype,
                    Conv2d conv) {
  check_and_convolve(stream, ConvolutionPass::forward, dtype, conv, x, w, y);
  launch_add_bias(stream, y, bias, dtype, conv.batch * conv.out_height() * conv.out_width(), conv.out_channels);
}

void conv2d_backward_data(Stream& stream, const void* dy, const void* w, void* dx, DType dtype, Conv2d conv) {
  check_and_convolve(stream, ConvolutionPass::backward_data, dtype, conv, dx, w, dy);
}

void conv2d_backward_filter(Stream& stream, const void* x, const void* dy, void* dw, DType dtype, Conv2d conv) {
  check_and_convolve(stream, ConvolutionPass::backward_filter, dtype, conv, x, dw, dy);
}

}  // namespace melgrad::kernel::cuda
