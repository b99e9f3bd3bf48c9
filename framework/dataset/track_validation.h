// Validation on whole tracks.
#pragma once

#include <vector>

#include "framework/dataset/track_prediction.h"
#include "framework/training/trainer.h"

namespace melgrad {

// Evaluates a model by predict_tracks on `clips`: the loss is the mean negative log-probability of the tracks' labels,
// the accuracy is the share of tracks whose most probable class is their label. The temperature that fits the tracks
// best (1 if none can be fitted) becomes part of the checkpoints' metadata. `last_predictions` receives the predictions
// of the last evaluation, if it is given. It and `clips` must outlive the result.
Validate track_validation(const ClipStore& clips, const InferenceOptions& options,
                          std::vector<TrackPrediction>* last_predictions = nullptr);

}  // namespace melgrad
