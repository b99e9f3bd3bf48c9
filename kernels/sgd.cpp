#include "kernels/sgd.h"

#include "kernels/device/parallel.h"

namespace melgrad::kernel::cpu {

void sgd_step(Stream&, float* parameter, const float* gradient, float* velocity, int64_t n, float learning_rate,
              float momentum, float weight_decay) {
  const SgdRule rule{learning_rate, momentum, weight_decay};
  for_each_chunk(n, elements_per_chunk, [=](int64_t, int64_t begin, int64_t end) {
#pragma omp simd
    for (int64_t i = begin; i < end; ++i) rule.update(parameter[i], gradient[i], velocity[i]);
  });
}

}  // namespace melgrad::kernel::cpu
