// Looks for problems of a data set that harm training or make the measured accuracy too high.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "framework/dataset/audio_survey.h"
#include "framework/dataset/dataset.h"
#include "framework/dataset/duplicates.h"

namespace melgrad {

struct FindingKind {
  std::string_view name;   // for programs: snake_case
  std::string_view title;  // for people
  std::string_view remedy;
};
// All kinds of findings, in the order in which they are reported.
std::span<const FindingKind> finding_kinds();

struct Finding {
  std::string_view kind;           // FindingKind::name
  std::vector<std::string> files;  // as Track::name; empty if the finding is about labels
  std::string detail;              // one line
};

struct CheckLimits {
  double shortest_seconds = 0, longest_seconds = 0;  // 0: a quarter of the median, four times the median
};

// surveys[i] belongs to dataset.tracks[i]; `prints` holds the tracks that can be read. It lists the folder but reads no
// file.
std::vector<Finding> check_dataset(const Dataset& dataset, std::span<const AudioSurvey> surveys,
                                   std::span<const TrackPrint> prints, const CheckLimits& limits);

struct LabelBalance {
  std::string label;
  int64_t tracks = 0;
  double seconds = 0;  // of the tracks that can be read
};
std::vector<LabelBalance> label_balance(const Dataset& dataset, std::span<const AudioSurvey> surveys);

// The median length of the files that can be read; 0 if there are none.
double median_seconds(std::span<const AudioSurvey> surveys);

}  // namespace melgrad
