#include "docs/examples/add_an_op/silu.h"

#include "kernels/device/elementwise.h"

namespace melgrad::kernel::cpu {

void silu_forward(Stream&, const void* x, void* y, DType dtype, int64_t n) {
  run_elementwise("silu_forward", dtype, n, Silu{}, y, x);
}

void silu_backward(Stream&, const void* x, const void* dy, void* dx, DType dtype, int64_t n) {
  run_elementwise("silu_backward", dtype, n, SiluGradient{}, dx, x, dy);
}

}  // namespace melgrad::kernel::cpu
