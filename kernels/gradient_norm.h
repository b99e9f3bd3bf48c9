// The Euclidean norm of all gradients together, and the factor that clips it, as torch.nn.utils.clip_grad_norm_
// computes them.
#pragma once

#include "kernels/device/chunks.h"
#include "kernels/device/host_device.h"
#include "kernels/device/kernel.h"

namespace melgrad::kernel {

struct GradientSlot {
  const void* gradient;  // of `dtype`
  int64_t n;             // elements
  DType dtype = DType::float32;

  bool operator==(const GradientSlot&) const = default;
};

MELGRAD_HOST_DEVICE inline float clipping_factor(float norm, float max_norm) {
  const float factor = max_norm / (norm + 1e-6f);
  return max_norm > 0 && !(factor > 1) ? factor : 1.0f;
}

// norm = sqrt(sum of the squares of all gradients); scale = min(1, max_norm / (norm + 1e-6)), or 1 if max_norm <= 0.
// slots [count], norm float32 [1] and scale float32 [1] lie in the stream's memory. `chunks` is cut_into_chunks() of
// the slots' n. Gradients are float32, bfloat16 or float16. If `norm` is not finite, `scale` is meaningless and the
// caller must skip the step. CUDA squares in float32, so a norm above 1e19 becomes infinite.
KERNEL(gradient_norm, const GradientSlot* slots, int64_t count, ChunkTable chunks, float max_norm, float* norm,
       float* scale)

}  // namespace melgrad::kernel
