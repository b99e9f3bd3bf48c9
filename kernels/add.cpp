#include "kernels/add.h"

#include "kernels/device/parallel.h"

namespace melgrad::kernel::cpu {

void add(Stream&, const void* a, const void* b, void* y, DType dtype, int64_t n) {
  require_float32(dtype, "add");
  const auto* left = static_cast<const float*>(a);
  const auto* right = static_cast<const float*>(b);
  auto* out = static_cast<float*>(y);
#pragma omp parallel for simd schedule(static) if (parallel : n >= worth_a_team)
  for (int64_t i = 0; i < n; ++i) out[i] = left[i] + right[i];
}

}  // namespace melgrad::kernel::cpu
