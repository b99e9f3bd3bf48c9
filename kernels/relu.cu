#include "kernels/relu.h"

#include "kernels/device/elementwise.cuh"

namespace melgrad::kernel::cuda {
namespace {

struct ReluForward {
  __device__ float operator()(float x) const { return x < 0.0f ? 0.0f : x; }  // not fmaxf, which would hide a NaN
};

struct ReluBackward {
  __device__ float operator()(float y, float dy) const { return y > 0.0f ? dy : 0.0f; }
};

}  // namespace

void relu_forward(Stream& stream, const void* x, void* y, DType dtype, int64_t n) {
  launch_elementwise(stream, dtype, n, ReluForward{}, y, x);
}

void relu_backward(Stream& stream, const void* y, const void* dy, void* dx, DType dtype, int64_t n) {
  launch_elementwise(stream, dtype, n, ReluBackward{}, dx, y, dy);
}

}  // namespace melgrad::kernel::cuda
