// One step of Adam (Kingma & Ba 2015) or AdamW (Loshchilov & Hutter 2019), in torch.optim's order of operations.
#pragma once

#include <cmath>

#include "kernels/device/chunks.h"
#include "kernels/device/host_device.h"
#include "kernels/device/kernel.h"

namespace melgrad::kernel {

// One parameter with its gradient and its state; each array has n elements.
struct AdamSlot {
  float* parameter;
  const void* gradient;  // of gradient_dtype
  float* first_moment;
  float* second_moment;
  int64_t n;
  float weight_decay;
  DType gradient_dtype = DType::float32;
  void* copy = nullptr;  // the new parameter is written here too, rounded to gradient_dtype, unless this is null
  float learning_rate_factor = 1;

  bool operator==(const AdamSlot&) const = default;
};

// Values that change from step to step. They lie in device memory, so that a captured CUDA graph reads new values at
// every replay.
struct AdamScalars {
  float learning_rate;
  float bias_correction1;  // 1 - beta1^step
  float bias_correction2;  // 1 - beta2^step
  int32_t step = 0;        // from 1; only the loss scale reads it
};

// The update of one element, the same code on the CPU and the GPU.
struct AdamRule {
  float gradient_scale, step_size, root_correction, shrink, penalty, beta1, beta2, epsilon;

  MELGRAD_HOST_DEVICE AdamRule(const AdamSlot& slot, const AdamScalars& scalars, const float* clip_scale, float decay1,
                               float decay2, float stabiliser, bool decoupled_weight_decay)
      : gradient_scale(clip_scale ? *clip_scale : 1.0f),
        step_size(scalars.learning_rate * slot.learning_rate_factor / scalars.bias_correction1),
        root_correction(std::sqrt(scalars.bias_correction2)),
        shrink(decoupled_weight_decay ? 1 - scalars.learning_rate * slot.learning_rate_factor * slot.weight_decay
                                      : 1.0f),
        penalty(decoupled_weight_decay ? 0.0f : slot.weight_decay),
        beta1(decay1),
        beta2(decay2),
        epsilon(stabiliser) {}

  MELGRAD_HOST_DEVICE void update(float& parameter, float raw_gradient, float& first_moment,
                                  float& second_moment) const {
    const float shrunk = parameter * shrink;
    const float gradient = raw_gradient * gradient_scale + penalty * shrunk;
    const float first = first_moment + (1 - beta1) * (gradient - first_moment);
    const float second = beta2 * second_moment + (1 - beta2) * gradient * gradient;
    first_moment = first;
    second_moment = second;
    parameter = shrunk - step_size * first / (std::sqrt(second) / root_correction + epsilon);
  }
};

// `slots` [count], `scalars` [1] and `gradient_scale` [1] lie in the stream's memory; a null gradient_scale means 1,
// NaN that nothing is written. The learning rate of a slot is that of the scalars times its factor. `chunks` is
// cut_into_chunks() of the slots' n. Gradients are float32, bfloat16 or float16, all else float32. No two arrays may
// overlap. With g = gradient * gradient_scale:
//   AdamW, decoupled_weight_decay: parameter *= 1 - learning_rate * weight_decay; Adam: g += weight_decay * parameter
//   first_moment += (1 - beta1) * (g - first_moment); second_moment = beta2 * second_moment + (1 - beta2) * g^2
//   parameter -= learning_rate / bias_correction1 * first_moment
//                / (sqrt(second_moment) / sqrt(bias_correction2) + epsilon)
KERNEL(adam_step, const AdamSlot* slots, int64_t count, ChunkTable chunks, const AdamScalars* scalars,
       const float* gradient_scale, float beta1, float beta2, float epsilon, bool decoupled_weight_decay)

}  // namespace melgrad::kernel
