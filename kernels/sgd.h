// One step of stochastic gradient descent with momentum, as torch.optim.SGD computes it.
#pragma once

#include "kernels/device/host_device.h"
#include "kernels/device/kernel.h"

namespace melgrad::kernel {

struct SgdRule {
  float learning_rate, momentum, weight_decay;

  MELGRAD_HOST_DEVICE void update(float& parameter, float gradient, float& velocity) const {
    velocity = momentum * velocity + (gradient + weight_decay * parameter);
    parameter -= learning_rate * velocity;
  }
};

// All arrays are float32 [n] and do not overlap:
//   velocity = momentum * velocity + (gradient + weight_decay * parameter)
//   parameter -= learning_rate * velocity
// Start from velocity 0.
KERNEL(sgd_step, float* parameter, const float* gradient, float* velocity, int64_t n, float learning_rate,
       float momentum, float weight_decay)

}  // namespace melgrad::kernel
