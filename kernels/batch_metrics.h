// The metrics of one training step, gathered on the device so that the host reads them back with a single copy.
#pragma once

#include "kernels/device/kernel.h"

namespace melgrad::kernel {

struct BatchMetrics {
  float loss, gradient_norm;
  int32_t correct;  // examples for which argmax(logits) == argmax(targets)
};

// logits [n, classes] of `dtype`, targets float32 [n, classes], loss and gradient_norm float32 [1] -> metrics [1]. All
// arrays lie in the stream's memory.
KERNEL(batch_metrics, const void* logits, const float* targets, const float* loss, const float* gradient_norm,
       BatchMetrics* metrics, DType dtype, int64_t n, int64_t classes)

}  // namespace melgrad::kernel
