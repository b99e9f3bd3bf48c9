// Trains any Module on any BatchSource with any Loss.
//
// A run that was killed and resumed gives the same weights as a run without interruption, bit for bit: everything
// random is a function of (seed, step), and everything else that a step depends on is in the checkpoint. This holds
// wherever the kernels are deterministic: on a CPU, and on a GPU after set_deterministic(true)
// (kernels/device/deterministic.h).
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "framework/module.h"
#include "framework/optimizer.h"
#include "framework/schedule.h"
#include "framework/terminal/interrupt.h"
#include "framework/terminal/progress.h"
#include "framework/training/batch_source.h"
#include "framework/training/buffer_average.h"
#include "framework/training/checkpoint.h"
#include "framework/training/checkpoint_writer.h"
#include "framework/training/gradient_exchange.h"
#include "framework/training/loss.h"
#include "framework/training/step_graphs.h"
#include "framework/training/step_inputs.h"
#include "framework/training/step_readback.h"
#include "kernels/device/communicator.h"

namespace melgrad {

// Steps of a run, counted from 1, both ends included; none when last is 0.
struct StepRange {
  int64_t first = 0, last = 0;
};

struct TrainOptions {
  uint64_t seed = 0;  // of the order of the examples
  int64_t epochs = 160;
  int64_t batch_size = 32;
  // Parts into which a batch is cut (step_parts.h). They are computed one after another, and their gradients are added,
  // each weighted by its share of the examples. A part needs less memory than the batch. Batch norm normalises each
  // part by its own statistics, and the running statistics follow the mean over the parts (buffer_average.h).
  int64_t accumulate = 1;
  // The processes that train the model together, each in its own Trainer with the same options and data: rank r
  // computes part r of every batch, and N ranks give the very bits of one process with accumulate = N. With both, every
  // rank cuts its part further. Rank 0 validates, reports and writes; the others need no folder.
  Communicator* ranks = &single_process();
  Adam::Options optimizer;
  float weight_decay = 0.01f;  // of weights; biases and the parameters of norms do not decay
  // The key is the name of a parameter; parameters that are absent have the factor 1.
  std::map<std::string, float> learning_rate_factors = {};
  int64_t patience = 0;  // stop after this many epochs without a better one; 0: never
  double checkpoint_seconds =
      60;              // time between two checkpoints; a best epoch is written at once; 0: one after every epoch
  StepRange profile;   // the steps that a profiler captures
  bool graphs = true;  // on a GPU, record steps as CUDA graphs; profiled trainings record none
  // True if the targets are class distributions. Then an example counts as correct if its largest output has the same
  // index as its largest target.
  bool classification = true;
};

struct Validation {
  double loss = 0;
  std::optional<double> accuracy;                    // nothing: not a classification
  const char* accuracy_name = "accuracy";            // in the log
  std::map<std::string, std::string> metadata = {};  // describes the model of this epoch in its checkpoints
};
// Evaluates the model after an epoch. The epoch with the lowest loss is the best one.
using Validate = std::function<Validation(Module& model)>;

struct LossScaling {
  double scale = 0;           // after the epoch
  int64_t skipped_steps = 0;  // of the epoch, because a gradient overflowed
};

struct EpochReport {
  int64_t epoch = 0;                     // from 1
  double train_loss = 0;                 // mean over the epoch's examples, in training mode
  std::optional<double> train_accuracy;  // of the same; nothing: not a classification
  Validation validation;
  double learning_rate = 0;  // of the last step
  double gradient_norm = 0;  // of the last step, before clipping; not finite if the step was skipped
  std::optional<LossScaling> loss_scaling;
  double seconds = 0;  // training only, without validation
  double items_per_second = 0;
  const char* items_name = "";  // see EpochSize
  bool best = false;
};

// The folder for the checkpoints.
struct RunFolder {
  std::filesystem::path path;                    // exists; empty for train_steps alone
  std::map<std::string, std::string> metadata;   // describes the model in every checkpoint
  std::function<void()> before_writing = [] {};  // called before every write; an exception prevents it
};

class Trainer {
 public:
  // `schedule` gives the learning rate of each step of the run, counted from 0. The model stays on its device. Only
  // parameters that require gradients are trained (Module::freeze).
  Trainer(Module& model, const BatchSource& source, Loss loss, Validate validate, const TrainOptions& options,
          Schedule schedule, RunFolder folder);

  static int64_t steps_per_epoch(const EpochSize& epoch, int64_t batch_size);

  // Continues from a checkpoint (read_checkpoint). Throws Error when it was made from another model or other data.
  void resume(const Checkpoint& checkpoint);

  enum class Outcome { finished, stopped_early, interrupted };
  // Trains until the last epoch, until patience ends, or until interrupted() (framework/terminal/interrupt.h). Writes a
  // checkpoint before the first step, every `checkpoint_seconds`, after an epoch that is the best so far, and at the
  // end. Throws Error when a loss or gradient is not finite, naming the step, the batch's items and the checkpoint that
  // remains; when memory is too small, the Error names a batch size that would fit.
  Outcome run(ProgressMode progress, const std::function<void(const EpochReport&)>& on_epoch);

  // Trains the next `count` steps, over as many epochs as they take, or until interrupted(). Neither validates nor
  // writes checkpoints. For measurements.
  void train_steps(int64_t count);

  // Why steps are not recorded as graphs although the device could; empty if they are or will be.
  const std::string& graph_obstacle() const { return graphs_.obstacle(); }
  int64_t completed_epochs() const { return state_.epoch; }
  int64_t best_epoch() const { return state_.best_epoch; }

 private:
  void send_state_to_all_ranks();
  Outcome run_epochs(ProgressMode progress, const std::function<void(const EpochReport&)>& on_epoch);
  void write_queued_checkpoints() noexcept;
  void write_checkpoint_between_epochs();
  std::optional<EpochReport> train_epoch(ProgressMode mode);  // nothing: interrupted
  void train_batches(std::span<const int64_t> order, Progress& progress);
  void read_ahead(std::span<const int64_t> order, size_t first);
  void train_step(std::span<const int64_t> items);
  void prepare_batch(std::span<const int64_t> items);
  void submit_step();
  struct ComputedPart {
    Tensor output, targets, loss;
  };
  ComputedPart compute_part(int64_t index);
  Tensor gradient_of_loss(int64_t part) const;
  void compute_metrics(const ComputedPart& computed, int64_t part);
  int64_t parts_of_rank(int64_t examples) const;  // that are not empty
  void gather(StepResult& step);
  bool must_stop() const { return options_.ranks->size() > 1 ? stop_ : interrupted(); }
  bool checkpoint_is_due() const { return options_.ranks->size() > 1 ? checkpoint_due_ : rank_0_must_write(); }
  bool rank_0_must_write() const { return !in_flight_ && writer_.due(); }
  void add_to_sums(std::optional<StepResult> step);
  void require_finite(double value, const char* what, int64_t step, std::span<const int64_t> items) const;
  void validate(EpochReport& report);
  std::string advice_on_memory(size_t capacity);
  std::vector<int64_t> epoch_order() const;
  int64_t global_step() const;
  enum class Urgency : uint8_t { soon, when_due };
  void write_checkpoint(Snapshot::Files files, Urgency urgency);
  void hand_snapshot_to_writer();
  void write_all_checkpoints();
  std::string checkpoint_path() const;

  Module& model_;
  const BatchSource& source_;
  EpochSize epoch_size_;
  Loss loss_;
  Validate validate_;
  TrainOptions options_;
  int64_t parts_;  // of a batch, over all ranks
  Schedule schedule_;
  RunFolder folder_;
  Stream& stream_;
  Adam optimizer_;
  StepInputs inputs_;
  BufferAverage buffers_;
  Tensor one_;  // a scalar
  GradientExchange exchange_;
  bool stop_ = false, checkpoint_due_ = false;  // as the ranks agreed at the last step
  StepReadback readback_;
  StepGraphs graphs_;
  CheckpointWriter writer_;
  struct InFlight {
    Snapshot snapshot;
    Urgency urgency;
  };
  std::optional<InFlight> in_flight_;  // on its way from the device to the writer
  TrainingState state_;
  int64_t skipped_in_a_row_ = 0;
  size_t announced_ = 0;  // items of the epoch that the source knows to come
};

}  // namespace melgrad
