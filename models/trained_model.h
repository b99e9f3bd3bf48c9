// A model out of its checkpoint with all that it takes to predict.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "framework/dataset/model_card.h"
#include "framework/dataset/track_prediction.h"
#include "framework/module.h"

namespace melgrad {

struct TrainedModel {
  std::filesystem::path file;  // the checkpoint
  ModelCard card;
  std::unique_ptr<Module> model;
  Device device = Device::cpu;

  int64_t classes() const { return static_cast<int64_t>(card.labels.size()); }

  // Of features computed by the card's settings. The crops' length is the card's, whatever `options` say.
  TrackPrediction predict(const LogMel& features, InferenceOptions options) const;
};

// `run` is the folder of a run, whose last.safetensors is taken, or a checkpoint. Throws Error when it is neither.
TrainedModel load_trained_model(const std::filesystem::path& run, Device device);

}  // namespace melgrad
