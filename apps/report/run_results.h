// The results of one run on its held-out tracks, with the baselines that they are compared with.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "apps/command.h"
#include "apps/features.h"
#include "apps/label_options.h"
#include "apps/run_record.h"
#include "framework/dataset/evaluation.h"
#include "framework/training/roc.h"
#include "models/grad_cam.h"
#include "models/trained_model.h"

namespace melgrad {

struct ReportOptions {
  std::string data;  // empty: the data set that config.toml names
  LabelOptions labels;
  std::string side = "auto";  // of the run's split
  InferenceOptions inference;
  FeatureOptions features;
  size_t hardest = 6;  // number of tracks to explain
};

struct TrackResult {
  std::string name, group;
  std::filesystem::path path;
  int label = 0, predicted = 0;
  std::vector<float> probabilities;  // one per class
  bool is_correct() const { return label == predicted; }
};

// A track with the picture of its spectrogram and of what spoke for two classes.
struct ExplainedTrack {
  size_t track;  // index into RunResults::tracks
  double seconds = 0;
  std::string spectrogram, for_predicted, for_label;  // PNG files in grey; the last is empty if the answer is right
};

// A classifier that the run is compared with, on the same tracks.
struct Baseline {
  Accuracy accuracy;
  std::string description;
  Accuracy gain;  // accuracy of the run minus that of the baseline, with a paired bootstrap interval
};

struct SplitCounts {
  std::vector<int64_t> train, validation, test;  // tracks of each class
};

struct RunResults {
  std::string name;
  RunRecord record;
  std::filesystem::path checkpoint;
  ModelCard card;
  DatasetSource source;
  std::string data, side;  // the data set's path, and the evaluated side of the split
  std::vector<TrackResult> tracks;
  std::vector<std::string> failures;            // one line for each file that could not be read
  std::optional<Evaluation> evaluation;         // always set by examine_run
  Accuracy wilson;                              // of the tracks
  std::vector<Baseline> baselines;              // empty if the run has no split
  std::vector<std::optional<RocCurve>> curves;  // one per class
  std::vector<ExplainedTrack> hardest;          // those with the smallest probability of their label
  SplitCounts split;
  int64_t parameters = 0;
  std::string architecture;  // SVG
};

// Loads the run's model and its data set, and predicts the tracks of the side. Throws Error naming what is missing.
RunResults examine_run(const std::string& run, const ReportOptions& options, Device device,
                       const OutputOptions& output);

// The accuracy of the first run minus that of the second, with a paired bootstrap interval; empty unless both were
// evaluated on the same tracks.
std::optional<Accuracy> difference_of(const RunResults& first, const RunResults& second);

}  // namespace melgrad
