// A module is a model or a part of one: a function of a tensor, with named parameters (trained), buffers (saved, not
// trained) and child modules. Full names are joined by dots as in PyTorch: "layer1.0.conv1.weight".
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "framework/tensor.h"

namespace melgrad {

struct Named {
  std::string name;
  Tensor tensor;
};

// The operations that a module computed after its own function, in the same passes over memory.
enum class Fused : uint8_t { nothing, relu, shortcut_and_relu };  // the last: relu(y + shortcut)

class Module {
 public:
  Module() = default;
  virtual ~Module() = default;
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  // Runs forward() inside a profiler range and calls the thread's ForwardObserver, if there is one.
  Tensor operator()(const Tensor& x);

  // Parameters and buffers of this module and of all modules below it, in the order of registration.
  std::vector<Named> parameters() const { return collect(&Module::parameters_); }
  std::vector<Named> buffers() const { return collect(&Module::buffers_); }
  std::vector<Named> unfrozen_buffers() const { return collect(&Module::buffers_, false); }  // see freeze()
  std::vector<Module*> children() const;                                                     // the direct ones

  // Sets training mode (the default) or evaluation mode for this module and all below it. Batch norm and dropout depend
  // on the mode.
  void train(bool on = true);
  bool training() const { return training_; }
  // Keeps the parameters and buffers of this module and of all modules below it as they are: they stay in evaluation
  // mode, and their parameters require no gradient.
  void freeze();
  void move_to(Device);

  // The PyTorch name of the layer and its main settings: "Conv2d(16 -> 32, 3x3, stride 2)".
  virtual std::string description() const = 0;
  // The full name, such as "layer1.0.conv1"; empty for the root of the model.
  std::string name() const;

 protected:
  virtual Tensor forward(const Tensor& x) = 0;
  // Runs `compute`, another form of forward(x) that ends with `fused`, as operator() runs forward().
  Tensor run(const Tensor& x, const std::function<Tensor()>& compute, Fused fused = Fused::nothing);
  static bool is_observed();  // by a ForwardObserver of this thread

  // Register state under a name. All state of a module goes through these functions, so that checkpoints and optimizers
  // see it. The returned handle refers to the registered tensor.
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
  std::vector<Named> collect(std::vector<Named> Module::*members, bool with_frozen = true) const;

  Module* parent_ = nullptr;
  std::string name_;
  std::vector<Named> parameters_, buffers_;
  std::vector<std::unique_ptr<Module>> children_;
  bool training_ = true, frozen_ = false;
};

// While in scope, gets a call after each module that runs on this thread; inner modules come first.
class ForwardObserver {
 public:
  ForwardObserver();
  virtual ~ForwardObserver();
  ForwardObserver(const ForwardObserver&) = delete;
  ForwardObserver& operator=(const ForwardObserver&) = delete;
  // `multiply_adds` counts those of the module and of all modules below it.
  virtual void called(const Module& module, const Tensor& y, int64_t multiply_adds) = 0;
  // Follows a call for a module that computed more than its own function; y has the result of both.
  virtual void fused(const Module& /*module*/, Fused /*fused*/) {}

 private:
  ForwardObserver* previous_;
};

}  // namespace melgrad
