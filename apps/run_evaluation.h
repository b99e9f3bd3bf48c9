// The evaluation of a trained model on tracks of a data set, for the commands that show it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/features.h"
#include "framework/dataset/evaluation.h"
#include "models/trained_model.h"

namespace melgrad {

struct EvaluationRequest {
  DatasetSource source;
  std::string side = "auto";  // as for select_tracks
  InferenceOptions inference;
  FeatureOptions features;
};

struct RunEvaluation {
  Dataset dataset;  // with the labels of the model
  std::string side;
  std::optional<Split> split;                // of the run; empty if all tracks were evaluated
  std::vector<Track> tracks;                 // those that could be read
  std::vector<MelClip> clips;                // one for each of the tracks
  std::vector<TrackPrediction> predictions;  // one for each of the tracks
  std::vector<std::string> failures;         // one line for each file that could not be read
  Evaluation evaluation;
};

// Predicts the tracks of the side with the crop length and the temperature of the model. Throws what load_dataset,
// select_tracks, adopt_labels and load_features throw.
RunEvaluation evaluate_run(const TrainedModel& trained, const EvaluationRequest& request, const OutputOptions& output);

}  // namespace melgrad
