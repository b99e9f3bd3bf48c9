// The Euclidean norm of all gradients taken as one vector, and the factor that clips it, as
// torch.nn.utils.clip_grad_norm_ computes it.
#pragma once

#include "kernels/device/chunks.h"
#include "kernels/device/host_device.h"
#include "kernels/device/kernel.h"

namespace melgrad::kernel {

struct GradientSlot {
  const void* gradient;  // of `dtype`
  int64_t n;             // elements
  DType dtype = DType::float32;
};

MELGRAD_HOST_DEVICE inline float clipping_factor(float norm, float max_norm) {
  const float factor = max_norm / (norm + 1e-6f);
  return max_norm > 0 && !(factor > 1) ? factor : 1.0f;
}

// `slots` [count] lies in the stream's memory, and so do norm [1] and scale [1]; `chunks` cuts the slots' n. Gradients
// are float32 or bfloat16.
// scale = min(1, max_norm / (norm + 1e-6)), or 1 when max_norm <= 0. A norm that is not finite is passed on in `norm`;
// `scale` is then whatever the formula gives, and the caller must not step. CUDA squares in float32: there a norm above
// 1e19 counts as infinite.
KERNEL(gradient_norm, const GradientSlot* slots, int64_t count, ChunkTable chunks, float max_norm, float* norm,
       float* scale)

}  // namespace melgrad::kernel
