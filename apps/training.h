// A training as the options of melgrad train describe it, up to its first step: melgrad train runs it, melgrad profile
// measures some steps of it.
#pragma once

#include <cstdint>
#include <memory>

#include "apps/train_options.h"
#include "framework/dataset/track_prediction.h"
#include "framework/dataset/training_data.h"

namespace melgrad {

struct TrainingSetup {
  TrainCommand command;  // with the options that depend on the device
  Device device;
  Precision precision;
  Dataset dataset;
  std::unique_ptr<const Pretrained> pretrained;  // null without --init, and for a run that is resumed
};

// Checks the options, applies those that hold for the process, and reads the data set.
TrainingSetup set_up_training(TrainCommand command);

// Prepares the data, the model and the trainer. The setup must outlive it.
class Training {
 public:
  // `folder` without metadata; its path is empty if no checkpoint is to be written.
  Training(TrainingSetup& setup, RunFolder folder);

  const TrainingData data;
  const std::unique_ptr<Module> model;
  const std::unique_ptr<BatchSource> batches;
  const int64_t steps_per_epoch;
  std::vector<TrackPrediction> last_validation;  // the predictions of the last validation; empty before the first one
  Trainer trainer;

  // Prints the model, the device and the numbers of tracks.
  void note_start() const;

  // Those of the last validation or, after the resume of a finished run, which has none, new ones.
  const std::vector<TrackPrediction>& validation_predictions();

 private:
  const TrainingSetup& setup_;
};

}  // namespace melgrad
