// The losses that a Trainer minimizes.
#pragma once

#include <functional>

#include "framework/ops.h"

namespace melgrad {

// Returns a scalar that depends on the model's output and on the targets of the batch.
using Loss = std::function<Tensor(const Tensor& output, const Tensor& targets)>;

// The mean cross-entropy of logits [n, classes] and target distributions [n, classes]; see ops.h.
inline Loss cross_entropy_loss(float label_smoothing = 0) {
  return [label_smoothing](const Tensor& logits, const Tensor& targets) {
    return cross_entropy(logits, targets, label_smoothing);
  };
}

}  // namespace melgrad
