// ReLU and its gradient: one pass, limited by memory bandwidth. The forward pass reads one element and writes one (8
// bytes in float32, 4 in 16 bits), the backward pass reads two and writes one (12 or 6 bytes). It reads the output,
// not the input, so the input need not be kept. Each thread moves 16 bytes of every array at a time.
#include "kernels/relu.h"

#include "kernels/device/elementwise.cuh"

namespace melgrad::kernel::cuda {

void relu_forward(Stream& stream, const void* x, void* y, DType dtype, int64_t n) {
  launch_elementwise(stream, dtype, n, Relu{}, y, x);
}

void relu_backward(Stream& stream, const void* y, const void* dy, void* dx, DType dtype, int64_t n) {
  launch_elementwise(stream, dtype, n, ReluGradient{}, dx, y, dy);
}

}  // namespace melgrad::kernel::cuda
