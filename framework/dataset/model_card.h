// The data that a prediction needs besides the weights. A checkpoint stores them as metadata, so that a model always
// gets features with the settings that it was trained on.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "framework/audio/log_mel.h"
#include "framework/dataset/clip_store.h"

namespace melgrad {

struct ModelCard {
  std::string model;                // a name of models/models.h
  std::vector<std::string> labels;  // one per class
  MelSettings mel;
  Standardisation standardisation;
  int64_t crop_frames = 256;
  // The logits are divided by it before the softmax. Fitted on the validation tracks
  // (framework/training/calibration.h); nothing in models of versions that fitted none.
  std::optional<double> temperature = std::nullopt;
  bool statistics = false;  // the model has a StatisticsClassifier (models/statistics_classifier.h)
};

// Text entries "melgrad_format", "model", "labels" (JSON), "mel" (JSON), "standardisation" (JSON), "crop_frames",
// "temperature" if there is one, and "statistics" if it is true.
std::map<std::string, std::string> to_metadata(const ModelCard& card);
// Parses metadata, which may be untrusted. Throws Error naming `file` and the entry that is missing, invalid or would
// take more memory than any model that melgrad trains.
ModelCard model_card(const std::map<std::string, std::string>& metadata, const std::string& file);

// The key and text of the entry "temperature".
std::pair<std::string, std::string> temperature_entry(double temperature);

// One line for the user if the probabilities of a model are not calibrated; empty if they are.
std::string calibration_note(const ModelCard& card, const std::string& file);

// Throws Error when a checkpoint of the run, `file`, was trained with other labels, features or models than `card` has.
// The temperature may differ.
void require_same_card(const std::map<std::string, std::string>& metadata, const ModelCard& card,
                       const std::string& file);

// Throws Error unless a crop has at least one frame and at most 2^18 values (48 s at the default settings).
void require_crop(int64_t crop_frames, int64_t n_mels);

}  // namespace melgrad
