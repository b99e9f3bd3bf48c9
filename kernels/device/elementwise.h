// Elementwise kernels on the CPU: y[i] = op(x[i], ...) for arrays of one length, computed in float32. y may alias any x
// of the same type. The CUDA counterpart is elementwise.cuh.
#pragma once

#include <concepts>

#include "kernels/device/dtype.h"
#include "kernels/device/low_precision.h"
#include "kernels/device/parallel.h"

namespace melgrad::kernel::cpu {

template <class Op, class Y, class... X>
void compute_elementwise(int64_t n, Op op, Y* y, const X*... x) {
  for_each_chunk(n, elements_per_chunk, [=](int64_t, int64_t begin, int64_t end) {
#pragma omp simd
    for (int64_t i = begin; i < end; ++i) y[i] = from_float<Y>(op(to_float(x[i])...));
  });
}

// Computes y[i] = op(x[i], ...). Throws Error, which names the kernel, unless dtype is float32.
template <class Op, std::convertible_to<const void*>... X>
void run_elementwise(const char* kernel_name, DType dtype, int64_t n, Op op, void* y, X... x) {
  require_float32(dtype, kernel_name);
  compute_elementwise(n, op, static_cast<float*>(y), static_cast<const float*>(x)...);
}

}  // namespace melgrad::kernel::cpu
