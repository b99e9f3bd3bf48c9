#include "kernels/relu.h"

#include "kernels/device/parallel.h"

namespace melgrad::kernel::cpu {

void relu_forward(Stream&, const void* x, void* y, DType dtype, int64_t n) {
  require_float32(dtype, "relu_forward");
  const auto* in = static_cast<const float*>(x);
  auto* out = static_cast<float*>(y);
  // `in < 0 ? 0 : in` rather than max: a NaN must not be hidden.
#pragma omp parallel for simd schedule(static) if (parallel : n >= worth_a_team)
  for (int64_t i = 0; i < n; ++i) out[i] = in[i] < 0.0f ? 0.0f : in[i];
}

void relu_backward(Stream&, const void* y, const void* dy, void* dx, DType dtype, int64_t n) {
  require_float32(dtype, "relu_backward");
  const auto* out = static_cast<const float*>(y);
  const auto* d_out = static_cast<const float*>(dy);
  auto* d_in = static_cast<float*>(dx);
#pragma omp parallel for simd schedule(static) if (parallel : n >= worth_a_team)
  for (int64_t i = 0; i < n; ++i) d_in[i] = out[i] > 0.0f ? d_out[i] : 0.0f;
}

}  // namespace melgrad::kernel::cpu
