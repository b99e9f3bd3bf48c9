// Predictions for whole tracks: the mean of the logits over crops that are spread evenly over the track.
#pragma once

#include "framework/dataset/clip_store.h"
#include "framework/module.h"

namespace melgrad {

struct TrackPrediction {
  std::vector<float> probabilities;  // one per class: softmax of the mean of the crops' logits
  std::vector<int> segments;         // the most probable class of each crop
  int label() const;                 // the most probable class
};

struct InferenceOptions {
  int64_t crop_frames = 256;
  int64_t crops = 10;                // per track; one if the track is not longer than a crop
  int64_t batch_size = 32;           // crops at a time; fewer if a crop has more than 2^15 values
  DType precision = DType::float32;  // of activations
};

// The first frames of `crops` crops spread evenly over a track, the first at its start, the last at its end.
std::vector<int64_t> crop_starts(int64_t frames, int64_t crop_frames, int64_t crops);

// Returns one prediction for each clip of the store. The model is in evaluation mode during the call.
std::vector<TrackPrediction> predict_tracks(Module& model, const ClipStore& clips, const InferenceOptions& options);

}  // namespace melgrad
