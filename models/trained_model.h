// A model loaded from a checkpoint, with the settings that prediction needs.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

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

  // Predicts from features computed with the settings in `card`. Uses the crop_frames and the
  // temperature of `card` and ignores those of `options`.
  TrackPrediction predict(const LogMel& features, InferenceOptions options) const;

  // The logits of each crop. A crop with fewer than card.crop_frames frames is repeated.
  std::vector<std::vector<double>> crop_logits(std::span<const LogMel> crops, InferenceOptions options) const;
};

// Loads a checkpoint, or last.safetensors if `run` is a folder. Throws Error if neither can be read.
TrainedModel load_trained_model(const std::filesystem::path& run, Device device);

}  // namespace melgrad
