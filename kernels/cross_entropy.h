// Softmax and its cross-entropy with probability targets, through the shifted log-sum-exp, which does not overflow.
#pragma once

#include "kernels/device/kernel.h"

namespace melgrad::kernel {

// PyTorch's definition for probability targets: with t = (1 - label_smoothing) * targets + label_smoothing / classes,
// loss = -mean over the batch of sum over the classes of t * log_softmax(logits).
// logits [n, classes] of `dtype`; targets float32 [n, classes], one-hot or mixed; loss float32 [1];
// dlogits [n, classes] of `dtype`: the gradient of that mean, softmax * sum(t) - t over n. dlogits may alias logits;
// null: it is not wanted.
KERNEL(cross_entropy, const void* logits, const float* targets, float* loss, void* dlogits, DType dtype, int64_t n,
       int64_t classes, float label_smoothing)

// probabilities, float32 [n, classes], of logits [n, classes] of `dtype`.
KERNEL(softmax, const void* logits, float* probabilities, DType dtype, int64_t n, int64_t classes)

}  // namespace melgrad::kernel
