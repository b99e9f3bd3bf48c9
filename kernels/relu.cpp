#include "kernels/relu.h"

#include "kernels/device/elementwise.h"

namespace melgrad::kernel::cpu {

void relu_forward(Stream&, const void* x, void* y, DType dtype, int64_t n) {
  run_elementwise("relu_forward", dtype, n, Relu{}, y, x);
}

void relu_backward(Stream&, const void* y, const void* dy, void* dx, DType dtype, int64_t n) {
  run_elementwise("relu_backward", dtype, n, ReluGradient{}, dx, y, dy);
}

}  // namespace melgrad::kernel::cpu
