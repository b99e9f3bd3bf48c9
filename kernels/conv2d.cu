// Convolutions through cuDNN, or its stand-in on the emulated device: see kernels/cudnn/convolution.h.
#include "kernels/conv2d.h"

#include <algorithm>

#include "kernels/cuda.cuh"
#include "kernels/cudnn/convolution.h"

namespace melgrad::kernel::cuda {
namespace {

constexpr int threads = 256;

// y[row, c] += bias[c]. A thread moves down the rows by a whole number of rows at a time, so its channels stay the
// same.
template <class T, int width>
__global__ void __launch_bounds__(threads)
    add_bias(T* y, const float* bias, int64_t vectors, int64_t vectors_per_row, int64_t step) {
  const int64_t first = static_cast<int64_t>(blockIdx.x) * threads + threadIdx.x;
  if (first >= step) return;
  const float* const own = bias + first % vectors_per_row * width;
  float addend[width];
  for (int j = 0; j < width; ++j) addend[j] = own[j];
  for (int64_t i = first; i < vectors; i += step) {
    auto v = load<width>(y + i * width);
    for (int j = 0; j < width; ++j) v[j] = from_float<T>(to_float(v[j]) + addend[j]);
    store(y + i * width, v);
  }
}

void add_bias_to(Stream& stream, void* y, const float* bias, DType dtype, int64_t rows, int64_t channels) {
  constexpr int64_t most_threads = threads * 2048;
  dispatch(dtype, channels, {y}, [&]<class T, int width>() {
    const int64_t per_row = channels / width, vectors = rows * per_row;
    const int64_t step = per_row * std::min(rows, ceil_divide(most_threads, per_row));
    const auto blocks = static_cast<unsigned>(ceil_divide<int64_t>(step, threads));
    launch(add_bias<T, width>, blocks, threads, 0, stream, static_cast<T*>(y), bias, vectors, per_row, step);
  });
}

void check_and_convolve(Stream& stream, const Convolution& convolution, const void* x, const void* w, const void* y) {
  constexpr uintptr_t alignment = 16;
  const Conv2d& conv = convolution.conv;
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
  check_and_convolve(stream, {ConvolutionPass::forward, dtype, conv}, x, w, y);
  if (bias) {
    add_bias_to(stream, y, bias, dtype, conv.batch * conv.out_height() * conv.out_width(), conv.out_channels);
  }
}

void conv2d_backward_data(Stream& stream, const void* dy, const void* w, void* dx, DType dtype, Conv2d conv) {
  check_and_convolve(stream, {ConvolutionPass::backward_data, dtype, conv}, dx, w, dy);
}

void conv2d_backward_filter(Stream& stream, const void* x, const void* dy, void* dw, DType dtype, Conv2d conv) {
  check_and_convolve(stream, {ConvolutionPass::backward_filter, dtype, conv}, x, dw, dy);
}

}  // namespace melgrad::kernel::cuda
