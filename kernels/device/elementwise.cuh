// Elementwise kernels: y[i] = op(x[i], ...) for arrays of one length, computed in float32. y may alias any x.
//
// Memory traffic per element: the size of the dtype for each input and for y. A thread takes one 16-byte vector of
// every array; the elements after the last whole vector are processed one by one.
#pragma once

#include <concepts>

#include "kernels/device/cuda.cuh"

namespace melgrad::kernel::cuda {

constexpr int elementwise_threads = 256;

inline dim3 elementwise_blocks(int64_t n, int width) {
  return static_cast<unsigned>(ceil_divide<int64_t>(n, int64_t{elementwise_threads} * width));
}

// Calls body.operator()<width>(first) for the thread's vector of an array of n elements, or body.operator()<1>(i) for
// each element of an incomplete vector.
template <int width, class Body>
__device__ void for_vector_of_thread(int64_t n, Body body) {
  const int64_t first = (static_cast<int64_t>(blockIdx.x) * elementwise_threads + threadIdx.x) * width;
  if (first + width <= n) {
    body.template operator()<width>(first);
  } else {
#pragma unroll 1  // rarely executed
    for (int64_t i = first; i < n; ++i) body.template operator()<1>(i);
  }
}

template <int width, class T, class Op, class... X>
__global__ void __launch_bounds__(elementwise_threads) elementwise(Op op, T* y, int64_t n, const X*... x) {
  for_vector_of_thread<width>(n, [&]<int count>(int64_t first) {
    const auto compute = [&](const auto&... in) {
      Vector<T, count> out;
      for (int j = 0; j < count; ++j) out[j] = from_float<T>(op(to_float(in[j])...));
      store(y + first, out);
    };
    compute(load<count>(x + first)...);
  });
}

template <class T, class>
using Always = T;

template <class Op, std::convertible_to<const void*>... X>
void launch_elementwise(Stream& stream, DType dtype, int64_t n, Op op, void* y, X... x) {
  if (n == 0) return;
  dispatch(dtype, any_extent, {y, x...}, [&]<class T, int width>() {
    launch(elementwise<width, T, Op, Always<T, X>...>, elementwise_blocks(n, width), elementwise_threads, 0, stream, op,
           static_cast<T*>(y), n, static_cast<const T*>(x)...);
  });
}

}  // namespace melgrad::kernel::cuda
