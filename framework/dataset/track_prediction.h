// Predictions for whole tracks: the mean of the logits over crops that are spread evenly over the track.
#pragma once

#include "framework/dataset/clip_store.h"
#include "framework/module.h"
#include "framework/training/calibration.h"

namespace melgrad {

struct TrackPrediction {
  std::vector<double> logits;        // one per class: the mean over the crops
  std::vector<float> probabilities;  // softmax(logits / temperature)
  std::vector<int> segments;         // the most probable class of each crop
  int label() const;                 // the most probable class
};

struct InferenceOptions {
  int64_t crop_frames = 256;
  int64_t crops = 10;                // per track; one if the track is not longer than a crop
  int64_t batch_size = 32;           // crops at a time; fewer if a crop has more than 2^15 values
  DType precision = DType::float32;  // of activations
  double temperature = 1;            // of the model (ModelCard)
};

// The first frames of `crops` crops spread evenly over a track, the first at its start, the last at its end.
std::vector<int64_t> crop_starts(int64_t frames, int64_t crop_frames, int64_t crops);

// Returns one prediction for each clip of the store. The model is in evaluation mode during the call.
std::vector<TrackPrediction> predict_tracks(Module& model, const ClipStore& clips, const InferenceOptions& options);

// The logits of the predictions with the labels of the clips, for fit_temperature and calibration_at.
std::vector<LabelledLogits> labelled_logits(std::span<const TrackPrediction> predictions, const ClipStore& clips);

}  // namespace melgrad
