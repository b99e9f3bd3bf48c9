// Evaluates the predictions of a trained model on a data set.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "framework/dataset/dataset.h"
#include "framework/dataset/split.h"
#include "framework/dataset/track_prediction.h"
#include "framework/terminal/reporter.h"
#include "framework/training/metrics.h"

namespace melgrad {

struct EvaluatedTracks {
  std::string side;            // "test", "validation", "train" or "all"
  std::vector<size_t> tracks;  // indices into Dataset::tracks
  std::optional<Split> split;  // of the run; empty for "all"
};

// The tracks of a side of the run's split, which is the split.csv beside the checkpoint, or of "all". "auto" is the
// test side, or the validation side if there are no test tracks, or all tracks, with a note, if there is no split.csv.
// Throws Error if the split cannot be read or the side has no tracks.
EvaluatedTracks select_tracks(const std::string& side, const std::filesystem::path& checkpoint, const Dataset& dataset,
                              const Reporter& reporter);

// Replaces the labels of the data set by those of the model. Throws Error if the model does not have the label of one
// of the tracks.
void adopt_labels(Dataset& dataset, std::span<const size_t> tracks, const std::vector<std::string>& labels,
                  const std::filesystem::path& checkpoint);

struct Evaluation {
  Accuracy track_accuracy, segment_accuracy;  // the intervals draw whole groups (GroupScores)
  ConfusionMatrix confusion;                  // of tracks
  ClassificationReport report;
  Calibration calibration;  // of tracks
};

// One prediction per track, at this temperature. The labels of the tracks are indices into `labels`.
Evaluation evaluate_predictions(std::span<const TrackPrediction> predictions, std::span<const Track> tracks,
                                const std::vector<std::string>& labels, double temperature);

}  // namespace melgrad
