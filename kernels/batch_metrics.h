// What the training loop wants to know of every step, gathered on the device so that the host fetches it in one piece.
#pragma once

#include "kernels/device/kernel.h"

namespace melgrad::kernel {

struct BatchMetrics {
  float loss, gradient_norm;
  int32_t correct;  // examples whose largest logit is where their largest target is; of equals the first counts
};

// logits [n, classes] of `dtype`, targets float32 [n, classes]; loss, gradient_norm and metrics are one each, in the
// stream's memory.
KERNEL(batch_metrics, const void* logits, const float* targets, const float* loss, const float* gradient_norm,
       BatchMetrics* metrics, DType dtype, int64_t n, int64_t classes)

}  // namespace melgrad::kernel
