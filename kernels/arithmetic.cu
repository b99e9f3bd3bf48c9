// Elementwise arithmetic: one pass, limited by memory bandwidth. add, sub and mul read two elements and write one (12
// bytes in float32, 6 in 16 bits); negate and scale read one and write one (8 or 4 bytes). Each thread moves 16 bytes
// of every array at a time.
#include "kernels/arithmetic.h"

#include "kernels/device/elementwise.cuh"

namespace melgrad::kernel::cuda {
namespace {

struct Add {
  __device__ float operator()(float a, float b) const { return a + b; }
};

struct Sub {
  __device__ float operator()(float a, float b) const { return a - b; }
};

struct Mul {
  __device__ float operator()(float a, float b) const { return a * b; }
};

struct Negate {
  __device__ float operator()(float x) const { return -x; }
};

struct Scale {
  const float* factor;
  __device__ float operator()(float x) const { return x * *factor; }
};

}  // namespace

void add(Stream& stream, const void* a, const void* b, void* y, DType dtype, int64_t n) {
  launch_elementwise(stream, dtype, n, Add{}, y, a, b);
}

void sub(Stream& stream, const void* a, const void* b, void* y, DType dtype, int64_t n) {
  launch_elementwise(stream, dtype, n, Sub{}, y, a, b);
}

void mul(Stream& stream, const void* a, const void* b, void* y, DType dtype, int64_t n) {
  launch_elementwise(stream, dtype, n, Mul{}, y, a, b);
}

void negate(Stream& stream, const void* x, void* y, DType dtype, int64_t n) {
  launch_elementwise(stream, dtype, n, Negate{}, y, x);
}

void scale(Stream& stream, const void* x, const float* factor, void* y, DType dtype, int64_t n) {
  launch_elementwise(stream, dtype, n, Scale{factor}, y, x);
}

}  // namespace melgrad::kernel::cuda
