// The data of one training, prepared in the order in which the checks depend on each other.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "framework/dataset/clip_store.h"
#include "framework/dataset/duplicates.h"
#include "framework/dataset/feature_loader.h"
#include "framework/dataset/model_card.h"
#include "framework/dataset/recording_store.h"

namespace melgrad {

struct TrainingData {
  ModelCard card;
  Split split;                        // without the tracks that could not be read
  std::vector<std::string> names;     // of the training clips
  std::vector<std::string> failures;  // one line for each file that could not be read
  std::vector<Leak> leaks;
  std::map<size_t, std::string> contents;  // hashes of the audio files, by track; not those of test tracks
  // The training tracks are in one of these two; the other is empty.
  std::unique_ptr<ClipStore> training;
  std::optional<RecordingStore> recordings;
  std::unique_ptr<ClipStore> validation;
};

// Extracts the features of all tracks, checks the labels, looks for recordings on two sides of the split, standardises
// by the training tracks, and brings the clips to where `residency` says. `model` is the name that the checkpoints
// give. A crop_frames of 0 stands for crop_frames_for(the training clips); the card has the result.
// `with_recordings` loads the samples of the training tracks in place of their clips; the model then limits the dynamic
// range of each crop, not of a whole recording, as the samples of a crop allow nothing else. Throws what load_features,
// check_labels and report_leaks throw. `dataset` must outlive the result.
TrainingData prepare_training_data(const Dataset& dataset, const Split& split, const std::string& model,
                                   int64_t crop_frames, const FeatureRequest& request, const Reporter& reporter,
                                   bool with_recordings = false, Residency residency = Residency::automatic);

}  // namespace melgrad
