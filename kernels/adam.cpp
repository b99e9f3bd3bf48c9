#include "kernels/adam.h"

#include <cmath>

#include "kernels/parallel.h"

namespace melgrad::kernel::cpu {

void adam_step(Stream&, const AdamSlot* slots, int64_t count, const AdamScalars* scalars, const float* gradient_scale,
               float beta1, float beta2, float epsilon, bool decoupled_weight_decay) {
  const float scale = gradient_scale ? *gradient_scale : 1.0f;
  const float step_size = scalars->learning_rate / scalars->bias_correction1;
  const float root_correction = std::sqrt(scalars->bias_correction2);
  for (int64_t s = 0; s < count; ++s) {
    const AdamSlot& slot = slots[s];
    const float shrink = decoupled_weight_decay ? 1 - scalars->learning_rate * slot.weight_decay : 1.0f;
    const float penalty = decoupled_weight_decay ? 0.0f : slot.weight_decay;
    for_each_chunk(slot.n, 16384, [&](int64_t, int64_t begin, int64_t end) {
#pragma omp simd
      for (int64_t i = begin; i < end; ++i) {
        const float parameter = slot.parameter[i] * shrink;
        const float gradient = slot.gradient[i] * scale + penalty * parameter;
        const float first = slot.first_moment[i] + (1 - beta1) * (gradient - slot.first_moment[i]);
        const float second = beta2 * slot.second_moment[i] + (1 - beta2) * gradient * gradient;
        slot.first_moment[i] = first;
        slot.second_moment[i] = second;
        slot.parameter[i] = parameter - step_size * first / (std::sqrt(second) / root_correction + epsilon);
      }
    });
  }
}

}  // namespace melgrad::kernel::cpu
