// The options of melgrad train that begin with a trained model, and what they do to the model.
#pragma once

#include <CLI/App.hpp>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "apps/command.h"
#include "framework/audio/log_mel.h"
#include "framework/module.h"
#include "models/pretrained.h"

namespace melgrad {

// --init, --freeze and --layer-decay.
struct FineTuningOptions {
  std::string init, freeze;  // empty: random initial weights; train all stages
  float layer_decay = 0;     // 0: the same learning rate everywhere
};
void add_fine_tuning_options(CLI::App& command, FineTuningOptions& options);

struct FineTuning {
  std::unique_ptr<const Pretrained> pretrained;        // the initial weights; null: random ones
  std::map<std::string, float> learning_rate_factors;  // as TrainOptions takes them
};

// Checks that the options fit the model, before the long work on the data. Reads the file of --init, unless the run is
// resumed, and prints what is not taken from it. Throws UsageError for --freeze without --init, and Error if the model
// has no stage --freeze or the file does not fit.
FineTuning prepare_fine_tuning(const FineTuningOptions& options, bool resumed, const std::string& model,
                               const std::vector<std::string>& labels, const MelSettings& mel,
                               const OutputOptions& output);

// Freezes the stages of --freeze and prints how many parameters are trained.
void freeze_stages(const FineTuningOptions& options, const Module& model, const OutputOptions& output);

}  // namespace melgrad
