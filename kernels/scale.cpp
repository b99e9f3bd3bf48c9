#include "kernels/scale.h"

#include "kernels/device/parallel.h"

namespace melgrad::kernel::cpu {

void scale(Stream&, const void* x, const float* factor, void* y, DType dtype, int64_t n) {
  require_float32(dtype, "scale");
  const auto* in = static_cast<const float*>(x);
  auto* out = static_cast<float*>(y);
  const float by = *factor;
#pragma omp parallel for simd schedule(static) if (parallel : n >= worth_a_team)
  for (int64_t i = 0; i < n; ++i) out[i] = in[i] * by;
}

}  // namespace melgrad::kernel::cpu
