// The checkpoints of a run: what a training needs to continue, and the files in the run folder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "framework/io/safetensors.h"
#include "framework/module.h"
#include "framework/optimizer.h"

namespace melgrad {

// Model, optimizer and TrainingState: resuming starts from this file.
inline constexpr const char* training_state_file = "training.safetensors";
// The model after the last whole epoch that was written, and after the best one.
inline constexpr const char* last_model_file = "last.safetensors";
inline constexpr const char* best_model_file = "best.safetensors";

// The numbers that a training carries from step to step.
struct TrainingState {
  int64_t epoch = 0;                               // completed epochs
  int64_t step = 0;                                // completed steps of the next epoch
  int64_t best_epoch = 0;                          // counted from 1; 0: no epoch was validated yet
  double best_loss = 0;                            // validation loss of best_epoch
  double loss_sum = 0, correct = 0, examples = 0;  // sums over the steps of the unfinished epoch
  int64_t skipped_steps = 0;                       // of the unfinished epoch, by loss scaling
};

// A copy of a training at one moment. Its values may still be on their way from the device.
struct Snapshot {
  // Each level contains the files of the level before it.
  enum class Files : uint8_t { training_state, last_model, best_model };

  SafeTensors content;  // of training_state_file: the model's tensors, then the optimizer's, without their values
  std::unique_ptr<ArraysInFlight> values;  // of the tensors, in the order of memory
  size_t model_tensors = 0;
  Files files = Files::training_state;
};

// `metadata` describes the model and goes into every file. `items_name` and `items` identify the training data (see
// EpochSize). Does not wait for the device. Throws OutOfMemory if it has no room for the copy, and Error if the host
// has none.
Snapshot take_snapshot(const Module& model, const Adam& optimizer, const TrainingState& state,
                       const std::map<std::string, std::string>& metadata, const std::string& items_name, int64_t items,
                       Snapshot::Files files);

// Writes the files of a snapshot, whose values have arrived, into the run folder, training_state_file first. Calls
// before_writing() before each. Throws WriteError.
void write_snapshot(const std::filesystem::path& run_folder, Snapshot snapshot,
                    const std::function<void()>& before_writing);

// A training state file as it was read.
struct Checkpoint {
  std::string path;
  SafeTensors content;
};

// Throws Error when the file is missing or is not a safetensors file.
Checkpoint read_checkpoint(const std::filesystem::path& run_folder);

// Copies the checkpoint into the model and the optimizer and returns its state. Throws Error when the file holds
// another model, no training state, or the state of a training on another number of items.
TrainingState restore(const Checkpoint& checkpoint, Module& model, Adam& optimizer, const std::string& items_name,
                      int64_t items);

}  // namespace melgrad
