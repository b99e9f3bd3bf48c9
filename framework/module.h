// A piece of a model: a function of a tensor with named parameters (trained) and buffers (kept, not trained), made of
// other modules. Names are joined by dots, "layer1.0.conv1.weight", as in PyTorch.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "framework/tensor.h"

namespace melgrad {

struct Named {
  std::string name;
  Tensor tensor;
};

class Module {
 public:
  Module() = default;
  virtual ~Module() = default;
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  // Runs forward inside a profiler range and tells the thread's ForwardObserver, if any.
  Tensor operator()(const Tensor& x);

  // Of this module and all below it, in the order of registration.
  std::vector<Named> parameters() const { return collect(&Module::parameters_); }
  std::vector<Named> buffers() const { return collect(&Module::buffers_); }
  std::vector<Module*> children() const;

  // Training mode (the default) or evaluation mode: batch norm and dropout behave differently.
  void train(bool on = true);
  bool training() const { return training_; }
  void move_to(Device);

  // What it is called in PyTorch, with what tells it apart: "Conv2d(16 -> 32, 3x3, stride 2)".
  virtual std::string description() const = 0;
  // The name from the root of the model, "layer1.0.conv1"; empty for the root.
  std::string name() const;

 protected:
  virtual Tensor forward(const Tensor& x) = 0;

  // The only ways to hold state, so that nothing goes unregistered. The tensor returned shares its values with the
  // registered one.
  Tensor param(std::string name, Tensor value);
  Tensor buffer(std::string name, Tensor value);
  template <class M, class... Arguments>
  M& child(const std::string& name, Arguments&&... arguments) {
    auto owned = std::make_unique<M>(std::forward<Arguments>(arguments)...);
    M& result = *owned;
    adopt(name, std::move(owned));
    return result;
  }

 private:
  void adopt(const std::string& name, std::unique_ptr<Module> module);
  std::vector<Named> collect(std::vector<Named> Module::*members) const;

  Module* parent_ = nullptr;
  std::string name_;
  std::vector<Named> parameters_, buffers_;
  std::vector<std::unique_ptr<Module>> children_;
  bool training_ = true;
};

// While in scope, sees every module called on this thread, inner ones first.
class ForwardObserver {
 public:
  ForwardObserver();
  virtual ~ForwardObserver();
  ForwardObserver(const ForwardObserver&) = delete;
  ForwardObserver& operator=(const ForwardObserver&) = delete;
  virtual void called(const Module& module, const Tensor& y, int64_t multiply_adds) = 0;

 private:
  ForwardObserver* previous_;
};

}  // namespace melgrad
