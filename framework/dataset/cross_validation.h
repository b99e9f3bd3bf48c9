// Cross-validation: each fold of a data set is held out in turn, once for every seed. Summarises the accuracy of all
// runs, and compares two recipes on the same runs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "framework/dataset/dataset.h"
#include "framework/training/metrics.h"

namespace melgrad {

struct FoldAndSeed {
  int fold = 0;
  uint64_t seed = 0;
  auto operator<=>(const FoldAndSeed&) const = default;
  std::string name() const;  // "fold0_seed3", the folder of the run
};

// The evaluation of one run.
struct FoldResult {
  double track_accuracy = 0, segment_accuracy = 0, macro_f1 = 0;
  std::map<std::string, bool> correct;  // by the name of the track
};
using FoldResults = std::map<FoldAndSeed, FoldResult>;

// Reads what melgrad evaluate wrote to the folder `evaluation`. Throws Error.
FoldResult read_fold_result(const std::filesystem::path& evaluation);
// True if the folder has a complete evaluation.
bool holds_evaluation(const std::filesystem::path& evaluation);
// Reads FOLDER/fold<F>_seed<S>/<side> for all runs that have an evaluation. Throws Error if there is none.
FoldResults read_fold_results(const std::filesystem::path& folder, const std::string& side);

struct MeanAndDeviation {
  double mean = 0;
  double deviation = 0;  // standard deviation (of a sample); 0 for one value
};
MeanAndDeviation mean_and_deviation(const std::vector<double>& values);

struct CrossValidationSummary {
  // The accuracy over all evaluated tracks of all runs. Its interval draws whole groups (artists), each with all its
  // runs, so it covers the choice of the recordings, not that of the seeds.
  Accuracy track_accuracy;
  std::map<int, MeanAndDeviation> by_fold;       // over the seeds
  std::map<uint64_t, MeanAndDeviation> by_seed;  // over the folds
  MeanAndDeviation over_folds, over_seeds;       // of the means above
  MeanAndDeviation segment_accuracy, macro_f1;   // over the runs
};

// `dataset` gives the groups of the tracks. Throws Error if it lacks a track.
CrossValidationSummary summarize(const FoldResults& results, const Dataset& dataset);

struct PairedComparison {
  // The accuracy of the first recipe minus that of the second one, over the tracks of the runs that both have. The
  // interval draws whole groups, as above: a difference whose interval contains 0 may be chance.
  Accuracy difference;
  std::map<FoldAndSeed, double> by_run;
  int64_t only_first = 0, only_second = 0;  // runs that the other recipe lacks
};

// Throws Error if no run is common or the tracks of a common run differ.
PairedComparison compare(const FoldResults& first, const FoldResults& second, const Dataset& dataset);

}  // namespace melgrad
