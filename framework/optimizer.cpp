#include "framework/optimizer.h"

#include <cmath>

#include "framework/mixed_precision.h"
#include "framework/ops.h"
#include "kernels/loss_scale.h"
#include "kernels/sgd.h"

namespace melgrad {

std::vector<ParameterGroup> decay_groups(const std::vector<Named>& parameters, float weight_decay,
                                         const std::map<std::string, float>& learning_rate_factors) {
  std::vector<ParameterGroup> with_decay, without_decay;
  for (const Named& named : parameters) {
    const bool decays = named.tensor.shape().rank() >= 2;
    std::vector<ParameterGroup>& groups = decays ? with_decay : without_decay;
    const auto found = learning_rate_factors.find(named.name);
    const float factor = found == learning_rate_factors.end() ? 1.0f : found->second;
    if (groups.empty() || groups.back().learning_rate_factor != factor) {
      groups.push_back({.parameters = {}, .weight_decay = decays ? weight_decay : 0, .learning_rate_factor = factor});
    }
    groups.back().parameters.push_back(named);
  }
  with_decay.insert(with_decay.end(), without_decay.begin(), without_decay.end());
  return with_decay;
}

Optimizer::Optimizer(const std::vector<ParameterGroup>& groups) {
  for (const ParameterGroup& group : groups) {
    for (const Named& named : group.parameters)
      slots_.push_back({named, group.weight_decay, group.learning_rate_factor});
  }
  MELGRAD_CHECK(!slots_.empty(), "an optimizer needs parameters, but all groups are empty");
}

Tensor Optimizer::Slot::gradient() const {
  Tensor result = parameter.tensor.grad();
  MELGRAD_CHECK(result.defined(), "parameter {} has no gradient; call backward() on a loss that depends on it",
                parameter.name);
  return result;
}

void Optimizer::zero_grad() {
  for (Slot& slot : slots_) slot.parameter.tensor.zero_grad();
}

std::vector<Tensor> Optimizer::zeros_per_parameter() const {
  std::vector<Tensor> result;
  for (const Slot& slot : slots_) {
    result.push_back(Tensor::zeros(slot.parameter.tensor.shape(), DType::float32, device()));
  }
  return result;
}

std::vector<Named> Optimizer::named(const std::string& prefix, const std::vector<Tensor>& tensors) const {
  std::vector<Named> result;
  for (size_t i = 0; i < slots_.size(); ++i) result.push_back({prefix + slots_[i].parameter.name, tensors[i]});
  return result;
}

Sgd::Sgd(const std::vector<ParameterGroup>& groups, const Options& options)
    : Optimizer(groups), options_(options), velocities_(zeros_per_parameter()) {}

void Sgd::step(float learning_rate) {
  std::vector<Tensor> gradients;
  for (const Slot& slot : slots_) gradients.push_back(cast(slot.gradient(), DType::float32));
  for (size_t i = 0; i < slots_.size(); ++i) {
    const Tensor& value = slots_[i].parameter.tensor;
    kernel::sgd_step(value.stream(), value.as<float>(), gradients[i].as<float>(), velocities_[i].as<float>(),
                     value.numel(), learning_rate, options_.momentum, slots_[i].weight_decay);
    renew_compute_copy(value);
  }
}

Adam::Adam(const std::vector<ParameterGroup>& groups, const Options& options)
    : Optimizer(groups),
      options_(options),
      first_moments_(zeros_per_parameter()),
      second_moments_(zeros_per_parameter()),
      tables_(slots_.size(), device()),
      scalars_(1, device()),
      norm_(Tensor::zeros({}, DType::float32, device())),
      gradient_scale_(Tensor::zeros({}, DType::float32, device())) {
  std::vector<int64_t> sizes;
  for (const Slot& slot : slots_) {
    sizes.push_back(slot.parameter.tensor.numel());
    if (options.compute_dtype != DType::float32) keep_compute_copy(slot.parameter.tensor, options.compute_dtype);
  }
  chunks_ = {kernel::cut_into_chunks(sizes), device()};
  if (options.loss_scaling) {
    loss_scale_ = Tensor::full({}, kernel::initial_loss_scale, device());
    loss_scale_steps_ = Tensor::zeros({2}, DType::float32, device());
    scalars_of_updates_ = {1, device()};
  }
}

void Adam::step(float learning_rate) {
  for (const Slot& slot : slots_) slot.gradient();  // throws before anything changes
  const kernel::AdamScalars scalars = count_step(learning_rate);
  scalars_.assign({&scalars, 1});
  update(scalars_.data());
}

kernel::AdamScalars Adam::count_step(float learning_rate) {
  tables_.make_spares();  // here, because update() may run in the memory of graphs
  ++steps_;
  const auto correction = [this](float beta) {
    return static_cast<float>(1 - std::pow(static_cast<double>(beta), static_cast<double>(steps_)));
  };
  return {learning_rate, correction(options_.beta1), correction(options_.beta2), static_cast<int32_t>(steps_)};
}

void Adam::update(const kernel::AdamScalars* scalars) {
  std::vector<kernel::GradientSlot> gradients;
  std::vector<kernel::AdamSlot> updates;
  for (size_t i = 0; i < slots_.size(); ++i) {
    const Tensor& value = slots_[i].parameter.tensor;
    const Tensor gradient = slots_[i].gradient(), copy = compute_copy(value);
    gradients.push_back({gradient.data(), value.numel(), gradient.dtype()});
    updates.push_back({.parameter = value.as<float>(),
                       .gradient = gradient.data(),
                       .first_moment = first_moments_[i].as<float>(),
                       .second_moment = second_moments_[i].as<float>(),
                       .n = value.numel(),
                       .weight_decay = slots_[i].weight_decay,
                       .gradient_dtype = gradient.dtype(),
                       .copy = copy.defined() ? copy.data() : nullptr,
                       .learning_rate_factor = slots_[i].learning_rate_factor});
  }
  Stream& stream = norm_.stream();
  const AdamTables::Table& table = tables_.find_or_upload(gradients, updates);
  const auto count = static_cast<int64_t>(slots_.size());
  const kernel::ChunkTable chunks{chunks_.data(), chunks_.size()};
  auto* const norm = norm_.as<float>();
  auto* const gradient_scale = gradient_scale_.as<float>();
  kernel::gradient_norm(stream, table.gradients.data(), count, chunks,
                        options_.loss_scaling ? 0 : options_.max_gradient_norm, norm, gradient_scale);
  if (options_.loss_scaling) {
    kernel::update_loss_scale(stream, loss_scale_.as<float>(),
                              reinterpret_cast<kernel::LossScaleSteps*>(loss_scale_steps_.as<float>()), scalars,
                              options_.max_gradient_norm, options_.beta1, options_.beta2,
                              {norm, gradient_scale, scalars_of_updates_.data()});
    scalars = scalars_of_updates_.data();
  }
  kernel::adam_step(stream, table.updates.data(), count, chunks, scalars, gradient_scale, options_.beta1,
                    options_.beta2, options_.epsilon, options_.weight_decay == WeightDecay::decoupled);
  GraphRecorder* const recorder = stream.graph_recorder();
  if (recorder && recorder->recording()) tables_.keep_last();
}

std::vector<Named> Adam::state() const {
  std::vector<Named> result = named("exp_avg.", first_moments_);
  for (const Named& moment : named("exp_avg_sq.", second_moments_)) result.push_back(moment);
  if (options_.loss_scaling) {
    result.push_back({"loss_scale", loss_scale_});
    result.push_back({"loss_scale_steps", loss_scale_steps_});
  }
  return result;
}

}  // namespace melgrad
