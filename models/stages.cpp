#include "models/stages.h"

#include <algorithm>

#include "framework/layers.h"

namespace melgrad {
namespace {

constexpr const char* head = "head";

// Each convolution begins a block.
void add_blocks(const Module& features, std::vector<Stage>& stages) {
  int64_t blocks = 0;
  for (Module* layer : features.children()) {
    if (dynamic_cast<const Conv2d*>(layer)) stages.push_back({.name = fmt::format("block{}", ++blocks), .modules = {}});
    stages.back().modules.push_back(layer);
  }
}

}  // namespace

std::vector<Stage> stages_of(const Module& model) {
  std::vector<Stage> stages;
  for (Module* part : model.children()) {
    const std::string name = part->name();
    if (part->parameters().empty()) continue;
    if (name == "features") {
      add_blocks(*part, stages);
    } else if (name == "bn1") {
      stages.back().modules.push_back(part);
    } else {
      const bool is_head = name == "fc" || name == "classifier";
      stages.push_back({.name = is_head ? head : name == "conv1" ? "stem" : name, .modules = {part}});
    }
  }
  return stages;
}

void freeze_up_to(const Module& model, const std::string& last) {
  const std::vector<Stage> stages = stages_of(model);
  std::vector<std::string> names;
  for (const Stage& stage : stages) {
    if (stage.name != head) names.push_back(stage.name);
  }
  if (std::ranges::count(names, last) == 0) {
    fail("--freeze: {} has no stage '{}' that can be frozen; its stages are {}", model.description(), last,
         fmt::join(names, ", "));
  }
  for (const Stage& stage : stages) {
    for (Module* module : stage.modules) module->freeze();
    if (stage.name == last) return;
  }
}

std::map<std::string, float> layer_decay_factors(const Module& model, float decay) {
  std::map<std::string, float> factors;
  std::vector<Stage> stages = stages_of(model);
  std::ranges::reverse(stages);
  float factor = 1;
  for (const Stage& stage : stages) {
    for (const Module* module : stage.modules) {
      for (const Named& named : module->parameters()) factors[module->name() + "." + named.name] = factor;
    }
    factor *= decay;
  }
  return factors;
}

}  // namespace melgrad
