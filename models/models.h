// Creates the models by name.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "framework/module.h"

namespace melgrad {

struct ModelInfo {
  std::string name, summary;
};
const std::vector<ModelInfo>& models();
std::vector<std::string> model_names();

// Creates a model on the CPU with initial weights from the default generator, on request with a StatisticsClassifier
// (models/network.h). Throws Error for an unknown name.
std::unique_ptr<Module> make_model(const std::string& name, int64_t classes, float dropout = 0,
                                   bool statistics = false);

}  // namespace melgrad
