// Dynamic loss scaling for float16 (Micikevicius et al. 2018, "Mixed Precision Training"), with the rule and the values
// of torch.amp.GradScaler. The loss is multiplied by a scale, so that small gradients do not vanish in float16. If a
// gradient overflows nevertheless, the step is skipped and the scale halved; after 2000 steps without that it is
// doubled.
//
// All of it lies in device memory, so that the host need not wait for the norm of the gradients.
#pragma once

#include <cmath>

#include "kernels/adam.h"
#include "kernels/gradient_norm.h"

namespace melgrad::kernel {

constexpr float initial_loss_scale = 65536;

// Counts of steps. They are float32, like everything in a checkpoint.
struct LossScaleSteps {
  float since_change;  // of the scale
  float skipped;       // since the training began
};

// What the update of the parameters needs; all in device memory.
struct LossScaleOutputs {
  float* norm;            // before: of the scaled gradients; afterwards: of the gradients
  float* gradient_scale;  // undoes the scale and clips; NaN if the step is skipped
  AdamScalars* scalars;   // with the bias corrections of the updates that were not skipped
};

// The rule, the same code on the CPU and the GPU.
MELGRAD_HOST_DEVICE inline void apply_loss_scale(float& loss_scale, LossScaleSteps& steps, const AdamScalars& counted,
                                                 float max_norm, float beta1, float beta2,
                                                 const LossScaleOutputs& outputs) {
  constexpr float growth_interval = 2000;
  const float norm = *outputs.norm / loss_scale;
  *outputs.norm = norm;
  if (!std::isfinite(norm)) {
    *outputs.gradient_scale = NAN;
    *outputs.scalars = counted;
    loss_scale *= 0.5f;
    steps = {0, steps.skipped + 1};
    return;
  }
  *outputs.gradient_scale = clipping_factor(norm, max_norm) / loss_scale;
  const double updates = static_cast<double>(counted.step) - static_cast<double>(steps.skipped);
  *outputs.scalars = {counted.learning_rate, static_cast<float>(1 - std::pow(static_cast<double>(beta1), updates)),
                      static_cast<float>(1 - std::pow(static_cast<double>(beta2), updates)), counted.step};
  steps.since_change += 1;
  if (steps.since_change < growth_interval) return;
  if (std::isfinite(2 * loss_scale)) loss_scale *= 2;
  steps.since_change = 0;
}

// Applies the rule after gradient_norm, which must not have clipped. scale [1], steps [1] and counted [1] lie in the
// stream's memory, as do the outputs.
KERNEL(update_loss_scale, float* scale, LossScaleSteps* steps, const AdamScalars* counted, float max_norm, float beta1,
       float beta2, LossScaleOutputs outputs)

}  // namespace melgrad::kernel
