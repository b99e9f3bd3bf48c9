// mixup (Zhang et al. 2018): every example and its targets become a convex combination of themselves and a partner.
#pragma once

#include "kernels/beta.h"
#include "kernels/device/kernel.h"

namespace melgrad::kernel {

// The weight of the example itself; its partner has the weight 1 - lambda.
MELGRAD_HOST_DEVICE inline float mixup_lambda(const RandomStream& random, int64_t example, int64_t batch, float alpha) {
  const bool alone = example == batch - 1 - example;
  return alone ? 1.0f : beta(random, random.place(example), alpha);
}

MELGRAD_HOST_DEVICE inline float mixed(float own, float other, float lambda) {
  return lambda * own + (1 - lambda) * other;
}

// y[i] = lambda * x[i] + (1 - lambda) * x[batch - 1 - i], and mixed_targets[i] likewise. Batches are shuffled, so this
// partner is a random one. The middle of an odd batch is its own partner and stays unchanged. lambda ~ Beta(alpha,
// alpha) is beta(random, random.place(i), alpha) (kernels/beta.h): drawn per example, not once per batch as in the
// paper's listing, which makes the gradient less noisy. x, y [batch, elements] of `dtype`; targets, mixed_targets
// float32 [batch, classes]. Outputs must not alias inputs. Throws Error unless alpha > 0.
KERNEL(mixup, const void* x, const float* targets, void* y, float* mixed_targets, DType dtype, int64_t batch,
       int64_t elements, int64_t classes, float alpha, RandomStream random)

}  // namespace melgrad::kernel
