// The options of melgrad train.
#pragma once

#include <CLI/App.hpp>
#include <cstdint>
#include <string>

#include "apps/command.h"
#include "apps/config.h"
#include "apps/features.h"
#include "apps/fine_tuning.h"
#include "apps/label_options.h"
#include "framework/dataset/clip_batches.h"
#include "framework/dataset/split_choice.h"
#include "framework/training/trainer.h"

namespace melgrad {

// Statistics over time need a few groups of 32 frames, the longest time scale of kernels/band_statistics.h. Crops of
// spoken words have one group, and a network alone classifies them better (docs/recipe.md).
constexpr int64_t least_frames_of_statistics = 128;

struct TrainCommand {
  OutputOptions output;
  DeviceOptions device;
  FeatureOptions features;
  LabelOptions labels;
  MelSettings mel;
  SplitOptions split;
  TrainOptions train;
  CropOptions crops{.crop_frames = 0};  // 0: chosen when the clips are read
  FineTuningOptions fine_tuning;
  ConfigOptions config_options;
  std::string data, run_folder, config, recipe = "best", split_files, model = "resnet_small", precision = "auto",
                                        profile_steps;
  std::string optimizer = "adamw", schedule = "cosine", statistics = "auto";
  int fold = -1;
  bool resume = false, deterministic = false, no_graphs = false, exact_convolution = false;
  float dropout = 0.3f, label_smoothing = 0.1f, learning_rate = 1e-3f, gamma = 0.1f;
  int64_t validation_crops = 4, warmup_epochs = 5, step_epochs = 30;

  // The most frames that a crop can have.
  int64_t longest_crop() const { return crops.crop_frames > 0 ? crops.crop_frames : longest_automatic_crop; }
  // For the length of a crop that the clips have in the end.
  bool has_statistics(int64_t crop_frames) const {
    return statistics == "on" || (statistics == "auto" && crop_frames >= least_frames_of_statistics);
  }
};

// Adds the options to the command, in groups.
void add_train_options(CLI::App& app, TrainCommand& c);

// Throws UsageError for options that contradict each other.
void check_usage(const TrainCommand& c);

// The options as the text of a run's config.toml. Throws Error if a path is not UTF-8.
std::string config_of_run(const TrainCommand& c, const CLI::App& app);

SplitRequest split_request(const TrainCommand& c);
Schedule learning_rate_schedule(const TrainCommand& c, int64_t steps_per_epoch);

// A value of --precision other than auto.
struct Precision {
  std::string name;
  DType dtype = DType::float32;  // of activations and gradients
  bool tf32 = false;             // see kernels/device/tf32.h

  // For people: "bf16".
  std::string description() const { return tf32 ? "tf32: products of fp32 with 11 bits of precision" : name; }
};
// The precision with this name or, for auto, the best one of the device. Throws UsageError when the device does not
// support it.
Precision precision_on(const Stream& stream, const std::string& name);

// Parses FIRST:LAST of --profile-steps; an empty text means no steps. Throws UsageError.
StepRange parse_steps(const std::string& text);

}  // namespace melgrad
