#include "kernels/sgd.h"

#include "kernels/device/parallel.h"

namespace melgrad::kernel::cpu {

void sgd_step(Stream&, float* parameter, const float* gradient, float* velocity, int64_t n, float learning_rate,
              float momentum, float weight_decay) {
  const SgdRule rule{learning_rate, momentum, weight_decay};
#pragma omp parallel for simd schedule(static) if (parallel : n >= worth_a_team)
  for (int64_t i = 0; i < n; ++i) rule.update(parameter[i], gradient[i], velocity[i]);
}

}  // namespace melgrad::kernel::cpu
