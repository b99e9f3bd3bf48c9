// mixup (Zhang et al. 2018): every example becomes a convex combination of itself and its partner, targets alike.
#pragma once

#include "kernels/beta.h"
#include "kernels/device/kernel.h"

namespace melgrad::kernel {

inline void require_mixable(float alpha) { MELGRAD_CHECK(alpha > 0, "mixup: alpha is {}", alpha); }

// The share of itself that an example keeps.
MELGRAD_HOST_DEVICE inline float mixup_lambda(const RandomStream& random, int64_t example, int64_t batch, float alpha) {
  const bool alone = example == batch - 1 - example;
  return alone ? 1.0f : beta(random, static_cast<uint64_t>(example), alpha);
}

MELGRAD_HOST_DEVICE inline float mixed(float own, float other, float lambda) {
  return lambda * own + (1 - lambda) * other;
}

// y[i] = lambda x[i] + (1 - lambda) x[batch - 1 - i], and mixed_targets[i] likewise. The batch is already shuffled, so
// the mirrored partner is a random one. lambda ~ Beta(alpha, alpha) is drawn for every example by itself, not once a
// batch as in the paper's listing: the gradient is less noisy for the same augmentation. An example paired with itself
// (the middle of an odd batch) is unchanged.
// x, y [batch, elements] of `dtype`; targets, mixed_targets float32 [batch, classes]. Outputs must not alias inputs.
// Needs alpha > 0. Example i uses beta(random, i, alpha) of kernels/beta.h.
KERNEL(mixup, const void* x, const float* targets, void* y, float* mixed_targets, DType dtype, int64_t batch,
       int64_t elements, int64_t classes, float alpha, RandomStream random)

}  // namespace melgrad::kernel
