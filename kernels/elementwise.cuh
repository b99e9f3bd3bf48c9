// Elementwise kernels: y[i] = op(x[i], ...) of arrays of one length and dtype, computed in float32. A thread takes one
// vector of every array, so y may alias any x.
#pragma once

#include <concepts>

#include "kernels/cuda.cuh"

namespace melgrad::kernel::cuda {

constexpr int elementwise_threads = 256;

inline dim3 blocks_of_vectors(int64_t vectors) {
  return static_cast<unsigned>(ceil_divide<int64_t>(vectors, elementwise_threads));
}

// Which vector the thread takes. The last block reaches beyond the last one.
__device__ inline int64_t vector_of_thread() {
  return static_cast<int64_t>(blockIdx.x) * elementwise_threads + threadIdx.x;
}

template <int width, class T, class Op, class... X>
__global__ void __launch_bounds__(elementwise_threads) elementwise(Op op, T* y, int64_t vectors, const X*... x) {
  const int64_t i = vector_of_thread();
  if (i >= vectors) return;
  const auto compute = [&](const auto&... in) {
    Vector<T, width> out;
    for (int j = 0; j < width; ++j) out[j] = from_float<T>(op(to_float(in[j])...));
    store(y + i * width, out);
  };
  compute(load<width>(x + i * width)...);
}

template <class T, class>
using Always = T;

template <class Op, std::convertible_to<const void*>... X>
void launch_elementwise(Stream& stream, DType dtype, int64_t n, Op op, void* y, X... x) {
  if (n == 0) return;
  dispatch(dtype, n, {y, x...}, [&]<class T, int width>() {
    launch(elementwise<width, T, Op, Always<T, X>...>, blocks_of_vectors(n / width), elementwise_threads, 0, stream, op,
           static_cast<T*>(y), n / width, static_cast<const T*>(x)...);
  });
}

}  // namespace melgrad::kernel::cuda
