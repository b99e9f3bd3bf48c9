// Softmax, and the cross-entropy of logits with probability targets. Both subtract the largest logit before they take
// exponentials, so nothing overflows.
#pragma once

#include "kernels/device/kernel.h"

namespace melgrad::kernel {

// Computes what torch.nn.CrossEntropyLoss computes. With t = (1 - label_smoothing) * targets + label_smoothing /
// classes,
//   loss = -mean over the rows of sum over the classes of t * log_softmax(logits)
//   dlogits = (softmax(logits) * sum(t) - t) / n
// logits, dlogits [n, classes] of `dtype`; targets float32 [n, classes], one-hot or mixed; loss float32 [1]. dlogits
// may alias logits, or be null if no gradient is needed.
KERNEL(cross_entropy, const void* logits, const float* targets, float* loss, void* dlogits, DType dtype, int64_t n,
       int64_t classes, float label_smoothing)

// logits [n, classes] of `dtype` -> probabilities float32 [n, classes]. They must not alias.
KERNEL(softmax, const void* logits, float* probabilities, DType dtype, int64_t n, int64_t classes)

}  // namespace melgrad::kernel
