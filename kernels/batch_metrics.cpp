#include "kernels/batch_metrics.h"

#include "kernels/argmax.h"

namespace melgrad::kernel::cpu {

void batch_metrics(Stream&, const void* logits, const float* targets, const float* loss, const float* gradient_norm,
                   BatchMetrics* metrics, DType dtype, int64_t n, int64_t classes) {
  require_float32(dtype, "batch_metrics");
  const auto* rows = static_cast<const float*>(logits);
  *metrics = {.loss = *loss, .gradient_norm = *gradient_norm, .correct = 0};
  for (int64_t row = 0; row < n; ++row) {
    metrics->correct += argmax(rows + row * classes, classes) == argmax(targets + row * classes, classes);
  }
}

}  // namespace melgrad::kernel::cpu
