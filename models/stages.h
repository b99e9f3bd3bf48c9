// The stages of a model, for fine-tuning: parts that are frozen or get a learning rate together.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "framework/module.h"

namespace melgrad {

struct Stage {
  std::string name;
  std::vector<Module*> modules;
};

// In the order of computation. ResNets have stem, layer1, ..., layer4 and head; the plain networks block1, ..., block4
// and head.
std::vector<Stage> stages_of(const Module& model);

// Freezes the stages up to and including the one named `last` (Module::freeze). Throws Error naming the stages that can
// be frozen if `last` is none of them; the head cannot.
void freeze_up_to(const Module& model, const std::string& last);

// Layer-wise learning rate decay: factors for the learning rates of all parameters by name. That of the head is 1, and
// that of each other stage is `decay` times that of the next one.
std::map<std::string, float> layer_decay_factors(const Module& model, float decay);

}  // namespace melgrad
