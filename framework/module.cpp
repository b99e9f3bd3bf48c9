#include "framework/module.h"

#include "framework/ops.h"

namespace melgrad {
namespace {

thread_local ForwardObserver* observer = nullptr;

}  // namespace

ForwardObserver::ForwardObserver() : previous_(observer) { observer = this; }
ForwardObserver::~ForwardObserver() { observer = previous_; }

Tensor Module::operator()(const Tensor& x) {
  return run(x, [&] { return forward(x); });
}

bool Module::is_observed() { return observer != nullptr; }

Tensor Module::run(const Tensor& x, const std::function<Tensor()>& compute, Fused fused) {
  const ProfilerRange range(x.stream(), name_.c_str(), RangeKind::module);
  const int64_t before = multiply_adds();
  Tensor y = compute();
  if (observer) {
    observer->called(*this, y, multiply_adds() - before);
    if (fused != Fused::nothing) observer->fused(*this, fused);
  }
  return y;
}

std::vector<Module*> Module::children() const {
  std::vector<Module*> result;
  for (const auto& module : children_) result.push_back(module.get());
  return result;
}

void Module::train(bool on) {
  training_ = on && !frozen_;
  for (const auto& module : children_) module->train(on);
}

void Module::freeze() {
  frozen_ = true;
  training_ = false;
  for (Named& named : parameters_) named.tensor.require_grad(false);
  for (const auto& module : children_) module->freeze();
}

void Module::move_to(Device device) {
  for (Named& named : parameters()) named.tensor.move_to(device);
  for (Named& named : buffers()) named.tensor.move_to(device);
}

std::string Module::name() const {
  const std::string above = parent_ ? parent_->name() : "";
  return above.empty() ? name_ : above + "." + name_;
}

Tensor Module::param(std::string name, Tensor value) {
  value.require_grad();
  parameters_.push_back({std::move(name), value});
  return value;
}

Tensor Module::buffer(std::string name, Tensor value) {
  buffers_.push_back({std::move(name), value});
  return value;
}

void Module::adopt(const std::string& name, std::unique_ptr<Module> module) {
  module->parent_ = this;
  module->name_ = name;
  children_.push_back(std::move(module));
}

std::vector<Named> Module::collect(std::vector<Named> Module::*members, bool with_frozen) const {
  if (frozen_ && !with_frozen) return {};
  std::vector<Named> result = this->*members;
  for (const auto& module : children_) {
    for (const Named& named : module->collect(members, with_frozen))
      result.push_back({module->name_ + "." + named.name, named.tensor});
  }
  return result;
}

}  // namespace melgrad
