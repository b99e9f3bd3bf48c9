#include "models/architecture.h"

#include <algorithm>
#include <utility>

namespace melgrad {
namespace {

// Every call ends after the calls of the module's children, so a finished module takes the nodes of its children.
class ArchitectureObserver : public ForwardObserver {
 public:
  void called(const Module& module, const Tensor& y, int64_t) override {
    ArchitectureNode node{.name = module.name(), .description = module.description(), .output = y.shape()};
    for (const Named& named : module.parameters()) node.parameters += named.tensor.numel();
    const std::vector<Module*> children = module.children();
    const auto is_child = [&](const auto& entry) { return std::ranges::count(children, entry.first) > 0; };
    for (auto& [child, part] : finished_) {
      if (is_child(std::pair(child, 0))) node.parts.push_back(std::move(part));
    }
    std::erase_if(finished_, is_child);
    finished_.emplace_back(&module, std::move(node));
  }
  void fused(const Module&, Fused what) override { finished_.back().second.fused = what; }

  ArchitectureNode root() const { return finished_.back().second; }

 private:
  std::vector<std::pair<const Module*, ArchitectureNode>> finished_;
};

}  // namespace

ArchitectureNode architecture_of(Module& model, int64_t n_mels, int64_t frames) {
  const NoGrad no_grad;
  const bool training = model.training();
  model.train(false);
  ArchitectureObserver observer;
  const Device device = model.parameters()[0].tensor.device();
  model(Tensor::zeros({1, n_mels, frames, 1}, DType::float32, device));
  model.train(training);
  return observer.root();
}

}  // namespace melgrad
