// The options of `melgrad predict`.
#pragma once

#include <CLI/App.hpp>
#include <string>
#include <vector>

#include "apps/command.h"
#include "framework/dataset/track_prediction.h"

namespace melgrad {

struct PredictCommand {
  OutputOptions output;
  DeviceOptions device;
  InferenceOptions inference;
  bool exact_convolution = false;
  std::string run;
  std::vector<std::string> files;
  int top = 3;
  double unsure = 0;
  std::string csv, ndjson, audacity, raven, jams, m3u, tagged_copies;  // empty: not written
  bool tag_files = false, yes = false;
  bool timeline = false;
  double step = 0;  // seconds; 0: the default of the model
  double shortest = 4;
  std::string raw;  // empty: the input has a header
  int raw_rate = 44100, raw_channels = 1;

  bool uses_standard_input() const;
  // True if a table takes the place of the text on the standard output.
  bool prints_table() const { return csv == "-" || ndjson == "-"; }
};

void add_predict_options(CLI::App& app, PredictCommand& command);

// Throws UsageError for options that exclude each other.
void check_usage(const PredictCommand& command);

}  // namespace melgrad
