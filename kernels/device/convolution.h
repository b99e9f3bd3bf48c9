// The shapes of convolutions, and the function that computes one on the CUDA device: by cuDNN on a GPU
// (cudnn/convolve.cu), by the CPU kernels on the emulated device (emulated/libraries/convolve.cpp).
#pragma once

#include <compare>
#include <cstdint>
#include <string>

#include "kernels/device/dtype.h"
#include "kernels/device/stream.h"

namespace melgrad::kernel {

// The shapes of a two-dimensional convolution.
struct Conv2d {
  int64_t batch, height, width, in_channels;  // of the input
  int64_t out_channels, kernel_height, kernel_width;
  int64_t stride, padding;  // the same along height and width
  // Results of an image must have the same bits in any batch, as evaluation and prediction promise. Only the CPU needs
  // to be told; training is faster without.
  bool independent_images = false;

  int64_t out_height() const { return (height + 2 * padding - kernel_height) / stride + 1; }
  int64_t out_width() const { return (width + 2 * padding - kernel_width) / stride + 1; }
  // Multiply-adds of one pass. Products with padding count too, as in the papers.
  int64_t multiply_adds() const {
    return batch * out_height() * out_width() * out_channels * kernel_height * kernel_width * in_channels;
  }
  auto operator<=>(const Conv2d&) const = default;
};

enum class ConvolutionPass : uint8_t { forward, backward_data, backward_filter };

constexpr const char* name_of(ConvolutionPass pass) {
  switch (pass) {
    case ConvolutionPass::forward:
      return "forward";
    case ConvolutionPass::backward_data:
      return "backward_data";
    case ConvolutionPass::backward_filter:
      return "backward_filter";
  }
  return "?";
}

struct Convolution {
  ConvolutionPass pass;
  DType dtype;  // of x, w and y; sums are float32
  Conv2d conv;
  bool tf32 = false;  // float32 factors may be rounded to TF32
  auto operator<=>(const Convolution&) const = default;
};

inline std::string input_shape(const Conv2d& c) {
  return fmt::format("{}x{}x{}x{}", c.batch, c.height, c.width, c.in_channels);
}
inline std::string describe_filters(const Conv2d& c) {
  return fmt::format("{} filters of {}x{}, stride {}, padding {}", c.out_channels, c.kernel_height, c.kernel_width,
                     c.stride, c.padding);
}

// "64x32x33x64 with 128 filters of 3x3, stride 2, padding 1"
inline std::string describe(const Conv2d& c) { return fmt::format("{} with {}", input_shape(c), describe_filters(c)); }

// "forward of 64x32x33x64 bfloat16 with 128 filters of 3x3, stride 2, padding 1"
inline std::string describe(const Convolution& c) {
  return fmt::format("{} of {} {} with {}", name_of(c.pass), input_shape(c.conv), c.tf32 ? "tf32" : name_of(c.dtype),
                     describe_filters(c.conv));
}

namespace cuda {

// x, w and y have the shapes of conv2d.h and are aligned to 16 bytes. forward reads x and w and writes y; backward_data
// reads y, which holds dy, and w, and writes dx to x; backward_filter reads x and dy and writes dw to w.
// The first call for a shape measures execution plans and synchronises: it must precede the capture of a CUDA graph.
void convolve(Stream&, const Convolution&, const void* x, const void* w, const void* y);

}  // namespace cuda
}  // namespace melgrad::kernel
