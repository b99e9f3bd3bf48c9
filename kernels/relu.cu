#include "kernels/relu.h"

#include "kernels/cuda.cuh"

namespace melgrad::kernel::cuda {
namespace {

constexpr int threads = 256;

template <class T, int width>
__global__ void __launch_bounds__(threads) forward(const T* x, T* y, int64_t vectors) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * threads + threadIdx.x;
  if (i >= vectors) return;
  auto v = load<width>(x + i * width);
  for (int j = 0; j < width; ++j) {
    if (to_float(v[j]) < 0.0f) v[j] = from_float<T>(0.0f);  // not fmaxf, which would hide a NaN
  }
  store(y + i * width, v);
}

template <class T, int width>
__global__ void __launch_bounds__(threads) backward(const T* y, const T* dy, T* dx, int64_t vectors) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * threads + threadIdx.x;
  if (i >= vectors) return;
  const auto out = load<width>(y + i * width);
  auto d = load<width>(dy + i * width);
  for (int j = 0; j < width; ++j) {
    if (!(to_float(out[j]) > 0.0f)) d[j] = from_float<T>(0.0f);
  }
  store(dx + i * width, d);
}

dim3 blocks_for(int64_t vectors) { return static_cast<unsigned>(ceil_divide<int64_t>(vectors, threads)); }

}  // namespace

void relu_forward(Stream& stream, const void* x, void* y, DType dtype, int64_t n) {
  if (n == 0) return;
  dispatch(dtype, n, {x, y}, [&]<class T, int width>() {
    launch(forward<T, width>, blocks_for(n / width), threads, 0, stream, static_cast<const T*>(x), static_cast<T*>(y),
           n / width);
  });
}

void relu_backward(Stream& stream, const void* y, const void* dy, void* dx, DType dtype, int64_t n) {
  if (n == 0) return;
  dispatch(dtype, n, {y, dy, dx}, [&]<class T, int width>() {
    launch(backward<T, width>, blocks_for(n / width), threads, 0, stream, static_cast<const T*>(y),
           static_cast<const T*>(dy), static_cast<T*>(dx), n / width);
  });
}

}  // namespace melgrad::kernel::cuda
