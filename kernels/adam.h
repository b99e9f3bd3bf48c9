// One step of Adam (Kingma & Ba 2015) or AdamW (Loshchilov & Hutter 2019), in torch.optim's order of operations.
#pragma once

#include "kernels/kernel.h"

namespace melgrad::kernel {

struct AdamSlot {
  float* parameter;
  const float* gradient;
  float* first_moment;
  float* second_moment;
  int64_t n;  // elements of each
  float weight_decay;
};

// What changes from step to step; in device memory, so that a captured graph replays with new values.
struct AdamScalars {
  float learning_rate;
  float bias_correction1;  // 1 - beta1^step
  float bias_correction2;  // 1 - beta2^step
};

// `slots` [count], `scalars` and `gradient_scale` lie in the stream's memory; gradient_scale null means 1.
// With g = gradient * gradient_scale:
//   AdamW, decoupled_weight_decay: parameter *= 1 - learning_rate * weight_decay; Adam: g += weight_decay * parameter
//   first_moment += (1 - beta1) * (g - first_moment); second_moment = beta2 * second_moment + (1 - beta2) * g^2
//   parameter -= learning_rate / bias_correction1 * first_moment
//                / (sqrt(second_moment) / sqrt(bias_correction2) + epsilon)
HOST_KERNEL(adam_step, const AdamSlot* slots, int64_t count, const AdamScalars* scalars, const float* gradient_scale,
            float beta1, float beta2, float epsilon, bool decoupled_weight_decay)

}  // namespace melgrad::kernel
