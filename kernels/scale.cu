#include "kernels/scale.h"

#include "kernels/device/elementwise.cuh"

namespace melgrad::kernel::cuda {
namespace {

struct Scale {
  const float* factor;
  __device__ float operator()(float x) const { return x * *factor; }
};

}  // namespace

void scale(Stream& stream, const void* x, const float* factor, void* y, DType dtype, int64_t n) {
  launch_elementwise(stream, dtype, n, Scale{factor}, y, x);
}

}  // namespace melgrad::kernel::cuda
