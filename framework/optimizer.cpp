#include "framework/optimizer.h"

#include <cmath>

namespace melgrad {
std::vector<ParameterGroup> decay_groups(const std::vector<Named>& parameters, float weight_decay) {
  std::vector<ParameterGroup> groups{{.parameters = {}, .weight_decay = weight_decay}, {}};
  for (const Named& named : parameters) groups[named.tensor.shape().rank() >= 2 ? 0 : 1].parameters.push_back(named);
  return groups;
}

Adam::Adam(const std::vector<ParameterGroup>& groups, const Options& options) : options_(options) {
  for (const ParameterGroup& group : groups) {
    for (const Named& named : group.parameters) {
      Tensor value = named.tensor;
      const bool copied = options.bfloat16_copies && value.shape().rank() >= 2;
      slots_.push_back({.parameter = named,
                        .weight_decay = group.weight_decay,
                        .bfloat16_copy = copied ? value.keep_copy(DType::bfloat16) : Tensor(),
                        .first_moment = Tensor::zeros(value.shape(), DType::float32, value.device()),
                        .second_moment = Tensor::zeros(value.shape(), DType::float32, value.device())});
    }
  }
  MELGRAD_CHECK(!slots_.empty(), "an optimizer needs parameters");
  const Device device = slots_[0].parameter.tensor.device();
  std::vector<int64_t> sizes;
  for (const Slot& slot : slots_) sizes.push_back(slot.parameter.tensor.numel());
  chunks_ = {kernel::cut_into_chunks(sizes), device};
  gradient_slots_ = {slots_.size(), device};
  adam_slots_ = {slots_.size(), device};
  scalars_ = {1, device};
  norm_ = Tensor::zeros({}, DType::float32, device);
  scale_ = Tensor::zeros({}, DType::float32, device);
}

void Adam::step(float learning_rate) {
  std::vector<kernel::GradientSlot> gradients;
  std::vector<kernel::AdamSlot> updates;
  for (const Slot& slot : slots_) {
    const Tensor& value = slot.parameter.tensor;
    const Tensor gradient = value.grad();
    MELGRAD_CHECK(gradient.defined(), "parameter {} has no gradient", slot.parameter.name);
    gradients.push_back({gradient.data(), value.numel(), gradient.dtype()});
    updates.push_back({.parameter = value.as<float>(),
                       .gradient = gradient.data(),
                       .first_moment = slot.first_moment.as<float>(),
                       .second_moment = slot.second_moment.as<float>(),
                       .n = value.numel(),
                       .weight_decay = slot.weight_decay,
                       .gradient_dtype = gradient.dtype(),
                       .copy = slot.bfloat16_copy.defined() ? slot.bfloat16_copy.as<bfloat16>() : nullptr});
  }
  ++steps_;
  const auto correction = [this](float beta) {
    return static_cast<float>(1 - std::pow(static_cast<double>(beta), static_cast<double>(steps_)));
  };
  const kernel::AdamScalars scalars{learning_rate, correction(options_.beta1), correction(options_.beta2)};

  Stream& stream = norm_.stream();
  const auto count = static_cast<int64_t>(slots_.size());
  const kernel::ChunkTable chunks{chunks_.data(), chunks_.size()};
  gradient_slots_.assign(gradients);
  adam_slots_.assign(updates);
  scalars_.assign({&scalars, 1});
  kernel::gradient_norm(stream, gradient_slots_.data(), count, chunks, options_.max_gradient_norm, norm_.as<float>(),
                        scale_.as<float>());
  kernel::adam_step(stream, adam_slots_.data(), count, chunks, scalars_.data(), scale_.as<float>(), options_.beta1,
                    options_.beta2, options_.epsilon, options_.weight_decay == WeightDecay::decoupled);
}

void Adam::zero_grad() {
  for (Slot& slot : slots_) slot.parameter.tensor.zero_grad();
}

std::vector<Named> Adam::state() const {
  std::vector<Named> result;
  result.reserve(2 * slots_.size());
  for (const Slot& slot : slots_) result.push_back({"exp_avg." + slot.parameter.name, slot.first_moment});
  for (const Slot& slot : slots_) result.push_back({"exp_avg_sq." + slot.parameter.name, slot.second_moment});
  return result;
}

}  // namespace melgrad
