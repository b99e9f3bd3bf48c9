// SiLU and its gradient: one pass, limited by memory bandwidth. The forward pass reads one element and writes one (8
// bytes in float32, 4 in 16 bits), the backward pass reads two and writes one (12 or 6 bytes). Each thread moves 16
// bytes of every array at a time.
#include "docs/examples/add_an_op/silu.h"

#include "kernels/device/elementwise.cuh"

namespace melgrad::kernel::cuda {

void silu_forward(Stream& stream, const void* x, void* y, DType dtype, int64_t n) {
  launch_elementwise(stream, dtype, n, Silu{}, y, x);
}

void silu_backward(Stream& stream, const void* x, const void* dy, void* dx, DType dtype, int64_t n) {
  launch_elementwise(stream, dtype, n, SiluGradient{}, dx, x, dy);
}

}  // namespace melgrad::kernel::cuda
