#include "kernels/adam.h"

#include "kernels/device/low_precision.h"
#include "kernels/device/parallel.h"

namespace melgrad::kernel::cpu {
namespace {

template <class T>
void update(const AdamSlot& slot, const AdamRule& rule) {
  const auto* const gradients = static_cast<const T*>(slot.gradient);
  for_each_chunk(slot.n, elements_per_chunk, [&](int64_t, int64_t begin, int64_t end) {
#pragma omp simd
    for (int64_t i = begin; i < end; ++i) {
      rule.update(slot.parameter[i], to_float(gradients[i]), slot.first_moment[i], slot.second_moment[i]);
    }
    if (!slot.copy) return;
    for (int64_t i = begin; i < end; ++i) static_cast<T*>(slot.copy)[i] = from_float<T>(slot.parameter[i]);
  });
}

}  // namespace

void adam_step(Stream&, const AdamSlot* slots, int64_t count, ChunkTable, const AdamScalars* scalars,
               const float* gradient_scale, float beta1, float beta2, float epsilon, bool decoupled_weight_decay) {
  if (gradient_scale && std::isnan(*gradient_scale)) return;
  for (int64_t s = 0; s < count; ++s) {
    const AdamRule rule(slots[s], *scalars, gradient_scale, beta1, beta2, epsilon, decoupled_weight_decay);
    dispatch_type(slots[s].gradient_dtype, [&]<class T>() { update<T>(slots[s], rule); });
  }
}

}  // namespace melgrad::kernel::cpu
