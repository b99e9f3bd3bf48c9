// A trained model as evaluate and predict use it.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "framework/module.h"
#include "framework/training/inference.h"
#include "framework/training/model_card.h"

namespace melgrad {

struct Classifier {
  std::filesystem::path file;  // the checkpoint
  ModelCard card;
  std::unique_ptr<Module> model;

  int64_t classes() const { return static_cast<int64_t>(card.labels.size()); }
};

// `run` is the folder of a run, whose last.safetensors is taken, or a checkpoint. Throws Error when it is neither.
Classifier load_classifier(const std::filesystem::path& run, Device device);

}  // namespace melgrad
