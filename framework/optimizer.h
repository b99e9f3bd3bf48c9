// Adam (Kingma & Ba 2015) and AdamW (Loshchilov & Hutter 2019) over parameter groups, equal to torch.optim's.
#pragma once

#include <string>
#include <vector>

#include "framework/device_array.h"
#include "framework/module.h"
#include "kernels/adam.h"
#include "kernels/gradient_norm.h"

namespace melgrad {

struct ParameterGroup {
  std::vector<Named> parameters;
  float weight_decay = 0;
};

// Two groups: weights of layers, which decay, and norms and biases (fewer than two dimensions), which do not.
std::vector<ParameterGroup> decay_groups(const std::vector<Named>& parameters, float weight_decay);

class Adam {
 public:
  enum class WeightDecay { l2, decoupled };  // Adam and AdamW
  struct Options {
    WeightDecay weight_decay = WeightDecay::decoupled;
    float beta1 = 0.9f, beta2 = 0.999f, epsilon = 1e-8f;
    float max_gradient_norm = 0;   // 0: gradients are not clipped
    bool bfloat16_copies = false;  // of weights (two dimensions or more), kept for layers that compute with bfloat16
  };
  // The parameters must stay on their device and must require gradients.
  Adam(const std::vector<ParameterGroup>& groups, const Options& options);

  // One step of all parameters. Throws Error, and does nothing, when one has no gradient.
  void step(float learning_rate);
  void zero_grad();

  // The Euclidean norm of all gradients at the last step, before clipping: a scalar on the device.
  const Tensor& gradient_norm() const { return norm_; }
  int64_t steps() const { return steps_; }

  // For checkpoints: the moments, named "exp_avg.<parameter>" and "exp_avg_sq.<parameter>"; restore steps with them.
  std::vector<Named> state() const;
  void set_steps(int64_t steps) { steps_ = steps; }

 private:
  struct Slot {
    Named parameter;
    float weight_decay;
    Tensor bfloat16_copy;  // undefined: none
    Tensor first_moment, second_moment;
  };
  Options options_;
  std::vector<Slot> slots_;
  int64_t steps_ = 0;
  DeviceArray<kernel::Chunk> chunks_;
  DeviceArray<kernel::GradientSlot> gradient_slots_;
  DeviceArray<kernel::AdamSlot> adam_slots_;
  DeviceArray<kernel::AdamScalars> scalars_;
  Tensor norm_, scale_;
};

}  // namespace melgrad
