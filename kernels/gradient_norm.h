// The Euclidean norm of all gradients taken as one vector, and the factor that clips it, as
// torch.nn.utils.clip_grad_norm_ computes it.
#pragma once

#include "kernels/kernel.h"

namespace melgrad::kernel {

struct GradientSlot {
  const float* gradient;
  int64_t n;  // elements
};

// `slots` [count] lies in the stream's memory, and so do norm [1] and scale [1].
// scale = min(1, max_norm / (norm + 1e-6)), or 1 when max_norm <= 0. A norm that is not finite is passed on in `norm`;
// `scale` is then whatever the formula gives, and the caller must not step.
HOST_KERNEL(gradient_norm, const GradientSlot* slots, int64_t count, float max_norm, float* norm, float* scale)

}  // namespace melgrad::kernel
