#include "kernels/mixup.h"

#include "kernels/beta.h"

namespace melgrad::kernel::cpu {
namespace {

void mix(const float* own, const float* other, float lambda, float* mixed, int64_t n) {
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) mixed[i] = lambda * own[i] + (1 - lambda) * other[i];
}

}  // namespace

void mixup(Stream&, const void* x, const float* targets, void* y, float* mixed_targets, DType dtype, int64_t batch,
           int64_t elements, int64_t classes, float alpha, RandomStream random) {
  require_float32(dtype, "mixup");
  MELGRAD_CHECK(alpha > 0, "mixup: alpha is {}", alpha);
  const auto* in = static_cast<const float*>(x);
  auto* out = static_cast<float*>(y);
#pragma omp parallel for schedule(static)
  for (int64_t i = 0; i < batch; ++i) {
    const int64_t partner = batch - 1 - i;
    const float lambda = partner == i ? 1.0f : beta(random, static_cast<uint64_t>(i), alpha);
    mix(in + i * elements, in + partner * elements, lambda, out + i * elements, elements);
    mix(targets + i * classes, targets + partner * classes, lambda, mixed_targets + i * classes, classes);
  }
}

}  // namespace melgrad::kernel::cpu
