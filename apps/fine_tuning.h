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

// Throws Error if the model has no stage --freeze.
void require_stage(const FineTuningOptions& options, const std::string& model, size_t classes);

// Reads the file of --init and checks that it fits, before the long work on the data; nothing without --init. Prints
// what is not taken from it.
std::unique_ptr<const Pretrained> read_pretrained(const FineTuningOptions& options, const std::string& model,
                                                  const std::vector<std::string>& labels, const MelSettings& mel,
                                                  const OutputOptions& output);

// Freezes the stages of --freeze and prints how many parameters are trained.
void freeze_stages(const FineTuningOptions& options, const Module& model, const OutputOptions& output);

// The factors that TrainOptions takes.
std::map<std::string, float> learning_rate_factors(const FineTuningOptions& options, const std::string& model,
                                                   size_t classes);

}  // namespace melgrad
