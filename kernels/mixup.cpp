#include "kernels/mixup.h"

#include "kernels/device/parallel.h"

namespace melgrad::kernel::cpu {
namespace {

void mix(const float* own, const float* other, float lambda, float* result, int64_t n) {
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) result[i] = mixed(own[i], other[i], lambda);
}

}  // namespace

void mixup(Stream&, const void* x, const float* targets, void* y, float* mixed_targets, DType dtype, int64_t batch,
           int64_t elements, int64_t classes, float alpha, RandomStream random) {
  require_float32(dtype, "mixup");
  require_mixable(alpha, "mixup");
  const auto* in = static_cast<const float*>(x);
  auto* out = static_cast<float*>(y);
  for_each_row(batch, elements, [=](int64_t i) {
    const int64_t partner = batch - 1 - i;
    const float lambda = mixup_lambda(random, i, batch, alpha);
    mix(in + i * elements, in + partner * elements, lambda, out + i * elements, elements);
    mix(targets + i * classes, targets + partner * classes, lambda, mixed_targets + i * classes, classes);
  });
}

}  // namespace melgrad::kernel::cpu
