// Optimizers over parameter groups, equal to those of torch.optim: SGD with momentum, Adam (Kingma & Ba 2015) and AdamW
// (Loshchilov & Hutter 2019).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "framework/adam_tables.h"
#include "framework/device_array.h"
#include "framework/module.h"
#include "kernels/adam.h"

namespace melgrad {

struct ParameterGroup {
  std::vector<Named> parameters;
  float weight_decay = 0;
  float learning_rate_factor = 1;  // of the learning rate of each step; only Adam reads it
};

// Two groups: parameters of two dimensions or more, which get the weight decay, and biases and batch norm parameters,
// which get none. `learning_rate_factors` (by the name of the parameter; 1 if it is absent) splits them further.
std::vector<ParameterGroup> decay_groups(const std::vector<Named>& parameters, float weight_decay,
                                         const std::map<std::string, float>& learning_rate_factors = {});

// The base class of the optimizers. The parameters must require gradients and must stay on their device.
class Optimizer {
 public:
  void zero_grad();

 protected:
  struct Slot {
    Named parameter;
    float weight_decay, learning_rate_factor;
    Tensor gradient() const;  // throws Error, which names the parameter, when it has no gradient
  };
  // Throws Error when the groups hold no parameter.
  explicit Optimizer(const std::vector<ParameterGroup>& groups);
  ~Optimizer() = default;

  Device device() const { return slots_[0].parameter.tensor.device(); }
  // A float32 tensor of zeros for each parameter.
  std::vector<Tensor> zeros_per_parameter() const;
  // The tensors with the names of their parameters behind a prefix, for checkpoints.
  std::vector<Named> named(const std::string& prefix, const std::vector<Tensor>& tensors) const;

  std::vector<Slot> slots_;
};

// v = momentum * v + (gradient + weight_decay * parameter); parameter -= learning_rate * v. It launches one kernel per
// parameter, which is simple but slow for large models. Adam needs one launch for all parameters.
class Sgd : public Optimizer {
 public:
  struct Options {
    float momentum = 0;
  };
  Sgd(const std::vector<ParameterGroup>& groups, const Options& options);

  // Updates all parameters. Throws Error, and changes nothing, when a parameter has no gradient.
  void step(float learning_rate);
  // The state to store in a checkpoint: "momentum_buffer.<parameter>".
  std::vector<Named> state() const { return named("momentum_buffer.", velocities_); }

 private:
  Options options_;
  std::vector<Tensor> velocities_;
};

class Adam : public Optimizer {
 public:
  enum class WeightDecay { l2, decoupled };  // Adam and AdamW
  struct Options {
    WeightDecay weight_decay = WeightDecay::decoupled;
    float beta1 = 0.9f, beta2 = 0.999f, epsilon = 1e-8f;
    float max_gradient_norm = 0;           // 0: gradients are not clipped
    DType compute_dtype = DType::float32;  // bfloat16 or float16: keep copies of the weights (mixed_precision.h)
    bool loss_scaling = false;             // for float16: see loss_scale()
  };
  Adam(const std::vector<ParameterGroup>& groups, const Options& options);

  // Updates all parameters. Throws Error, and changes nothing, when a parameter has no gradient.
  void step(float learning_rate);
  // The same in two parts: count_step counts the step and returns the scalars that update needs in device memory.
  kernel::AdamScalars count_step(float learning_rate);
  void update(const kernel::AdamScalars* scalars);

  // The Euclidean norm of all gradients at the last step, before clipping: a scalar on the device.
  const Tensor& gradient_norm() const { return norm_; }
  // Steps so far, those included that loss scaling skipped.
  int64_t steps() const { return steps_; }
  // With loss scaling, the gradient to start the backward pass of the loss from: a scalar on the device, which every
  // step may change (kernels/loss_scale.h). A step whose gradient_norm() is not finite is skipped. Undefined without
  // loss scaling.
  const Tensor& loss_scale() const { return loss_scale_; }

  // The state to store in a checkpoint: the moments, "exp_avg.<parameter>" and "exp_avg_sq.<parameter>", and with loss
  // scaling "loss_scale" and "loss_scale_steps". Save and restore steps() too.
  std::vector<Named> state() const;
  void set_steps(int64_t steps) { steps_ = steps; }

 private:
  Options options_;
  std::vector<Tensor> first_moments_, second_moments_;
  int64_t steps_ = 0;
  DeviceArray<kernel::Chunk> chunks_;
  AdamTables tables_;
  DeviceArray<kernel::AdamScalars> scalars_;
  Tensor norm_, gradient_scale_;
  Tensor loss_scale_, loss_scale_steps_;
  DeviceArray<kernel::AdamScalars> scalars_of_updates_;
};

}  // namespace melgrad
