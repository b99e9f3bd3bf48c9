#include "docs/examples/add_an_op/silu.h"

#include "kernels/device/elementwise.h"

namespace melgrad::kernel {
namespace cpu {

void silu_forward(Stream&, const void* x, void* y, DType dtype, int64_t n) {
  run_elementwise("silu_forward", dtype, n, Silu{}, y, x);
}

void silu_backward(Stream&, const void* x, const void* dy, void* dx, DType dtype, int64_t n) {
  run_elementwise("silu_backward", dtype, n, SiluGradient{}, dx, x, dy);
}

}  // namespace cpu

namespace cost {

KernelCost silu_forward(Stream&, const void*, void*, DType dtype, int64_t n) {
  return {.flops = 4.0 * n, .bytes = 2.0 * n * size_of(dtype)};
}

KernelCost silu_backward(Stream&, const void*, const void*, void*, DType dtype, int64_t n) {
  return {.flops = 9.0 * n, .bytes = 3.0 * n * size_of(dtype)};
}

}  // namespace cost
}  // namespace melgrad::kernel
