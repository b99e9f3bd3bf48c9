// The training loop. Everything random in it is a function of (seed, step), and all else it carries from step to step
// is in the checkpoint. So a run that was killed and resumed gives the same weights as one that was not: bit for bit
// where kernels repeat their bits, which is on a CPU, and on a GPU under set_deterministic
// (kernels/device/deterministic.h).
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "framework/dataset/augmentation.h"
#include "framework/dataset/clip_store.h"
#include "framework/dataset/model_card.h"
#include "framework/dataset/track_prediction.h"
#include "framework/io/safetensors.h"
#include "framework/module.h"
#include "framework/optimizer.h"
#include "framework/schedule.h"
#include "framework/terminal/progress.h"
#include "kernels/batch_metrics.h"

namespace melgrad {

// Steps of a run, counted from 1, both ends included; none when last is 0.
struct StepRange {
  int64_t first = 0, last = 0;
};

struct TrainOptions {
  uint64_t seed = 0;
  int64_t epochs = 160;
  int64_t batch_size = 32;
  DType precision = DType::float32;  // of activations and their gradients; weights and statistics are float32 always
  int64_t crops_per_track = 1;       // random crops of each training track in an epoch
  Adam::Options optimizer;
  float weight_decay = 0.01f;
  float label_smoothing = 0.1f;
  Augmentation augmentation;
  int64_t validation_crops = 4;  // of each validation track, after every epoch
  int64_t patience = 0;          // stop after so many epochs without a better one; 0: never
  StepRange profile;             // captured for a profiler
  // Least time between two checkpoints, in seconds; 0: one after every epoch.
  double checkpoint_seconds = 60;
};

// What an epoch came to. Accuracies and losses of training are over augmented crops.
struct EpochReport {
  int64_t epoch = 0;  // from 1
  double train_loss = 0, train_accuracy = 0;
  double validation_loss = 0, validation_track_accuracy = 0;
  double learning_rate = 0;  // of its last step
  double gradient_norm = 0;  // of its last step, before clipping
  double seconds = 0;        // of training; validation and features not counted
  double tracks_per_second = 0;
  bool best = false;
};

// What is learned from and how it is named to the user.
struct TrainingData {
  const ClipStore& train;
  const std::vector<std::string>& train_names;
  const ClipStore& validation;
};

class Trainer {
 public:
  // `schedule` gives the learning rate of each step of the whole run. `before_writing` is called before every write to
  // `run_folder` and may prevent it by an Error. The folder exists; checkpoints are written there:
  //   best.safetensors      the model after its best epoch (the lowest validation loss)
  //   last.safetensors      the model after the last whole epoch
  //   training.safetensors  what resume() goes on from: after the last whole epoch, or the step that was interrupted
  Trainer(
      Module& model, TrainingData data, const ModelCard& card, const TrainOptions& options, Schedule schedule,
      std::filesystem::path run_folder, std::function<void()> before_writing = [] {});

  static int64_t steps_per_epoch(int64_t tracks, const TrainOptions& options);

  // Goes on from training.safetensors. Throws Error when it is absent, or was made from other tracks, features or
  // models.
  void resume();

  enum class Outcome { finished, stopped_early, interrupted };
  // Trains until the last epoch, until patience ends, or until interrupted() (framework/terminal/interrupt.h). A
  // checkpoint of step 0 precedes training. Throws Error at a loss or gradient that is not finite, naming the step, the
  // batch's files and the checkpoint that is left; the weights of that step are not saved. Where memory is too small,
  // the Error names a batch size that would fit.
  Outcome run(ProgressMode progress, const std::function<void(const EpochReport&)>& on_epoch);

  int64_t epochs_done() const { return state_.epoch; }
  int64_t best_epoch() const { return state_.best_epoch; }

 private:
  // What a checkpoint holds besides tensors.
  struct State {
    int64_t epoch = 0, step = 0;  // whole epochs done, steps done in the next one
    int64_t best_epoch = 0;
    double best_loss = 0;
    double loss_sum = 0, correct = 0, examples = 0;  // of the epoch under way
  };

  // A step that was queued, and the way of what it came to: read when the next one is queued, so that the device never
  // waits for the host.
  struct StepUnderWay {
    std::unique_ptr<Readback> metrics;
    std::span<const int64_t> picks;  // empty: there is none
    int64_t number = 0;              // within the epoch, from 1
  };

  Outcome run_epochs(ProgressMode progress, const std::function<void(const EpochReport&)>& on_epoch);
  bool train_epoch(ProgressMode mode, EpochReport& report);  // false: interrupted
  void train_step(std::span<const int64_t> picks);
  void queue_step(std::span<const int64_t> picks);
  Tensor forward_and_backward(const Batch& batch, Tensor& loss);  // the logits
  void collect(StepUnderWay& step);
  void require_finite(double value, const char* what, const StepUnderWay& step) const;
  std::string advice_for_lack_of_memory(size_t capacity);
  void validate(EpochReport& report);
  std::vector<int64_t> epoch_order() const;
  int64_t global_step() const;
  void save(const char* file, const SafeTensors& content) const;
  void save_model(const char* file) const;
  void save_training_state() const;

  Module& model_;
  TrainingData data_;
  ModelCard card_;
  TrainOptions options_;
  Schedule schedule_;
  std::filesystem::path run_folder_;
  std::function<void()> before_writing_;
  Stream& stream_;
  Adam optimizer_;
  DeviceArray<kernel::BatchMetrics> metrics_;
  StepUnderWay latest_, before_;
  State state_;
};

}  // namespace melgrad
