// The data that a prediction needs besides the weights. A checkpoint stores them as metadata, so that a model always
// gets features with the settings that it was trained on.
#pragma once

#include <map>
#include <string>
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
};

// Text entries "melgrad_format", "model", "labels" (JSON), "mel" (JSON), "standardisation" (JSON), "crop_frames".
std::map<std::string, std::string> to_metadata(const ModelCard& card);
// Parses metadata, which may be untrusted. Throws Error naming `file` and the entry that is missing, invalid or would
// take more memory than any model that melgrad trains.
ModelCard model_card(const std::map<std::string, std::string>& metadata, const std::string& file);

// Throws Error when a checkpoint of the run, `file`, was trained with other labels, features or models than `card` has.
void require_same_card(const std::map<std::string, std::string>& metadata, const ModelCard& card,
                       const std::string& file);

// Throws Error unless a crop has at least one frame and at most 2^18 values (48 s at the default settings).
void require_crop(int64_t crop_frames, int64_t n_mels);

}  // namespace melgrad
