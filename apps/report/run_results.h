// The results of one run on its held-out tracks, with the baselines that they are compared with.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "apps/command.h"
#include "apps/features.h"
#include "apps/label_options.h"
#include "apps/report/track_results.h"
#include "apps/run_evaluation.h"
#include "apps/run_record.h"
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

// A track with the pictures of its spectrogram and of its relevance for two classes (Grad-CAM).
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
  std::string side;  // the evaluated side of the split
  std::vector<TrackResult> tracks;
  std::vector<std::string> failures;  // one line for each file that could not be read
  Evaluation evaluation;
  std::vector<Baseline> baselines = {};              // empty if all tracks were evaluated
  std::vector<std::optional<RocCurve>> curves = {};  // one per class
  std::vector<ExplainedTrack> hardest = {};          // those with the smallest probability of their label
  SplitCounts split = {};                            // empty if all tracks were evaluated
  int64_t parameters = 0;
  std::string architecture = {};  // SVG
};

// Loads the run's model and its data set, and predicts the tracks of the side. Throws Error naming what is missing.
RunResults examine_run(const std::string& run, const ReportOptions& options, Device device,
                       const OutputOptions& output);

}  // namespace melgrad
