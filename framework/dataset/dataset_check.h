// The data set's doctor: everything found that makes training worse or its figures too good.
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
// In the order in which findings are reported.
std::span<const FindingKind> finding_kinds();

struct Finding {
  std::string_view kind;           // FindingKind::name
  std::vector<std::string> files;  // as Track::name; empty where labels are what it is about
  std::string detail;              // one line
};

struct CheckLimits {
  double shortest_seconds = 0, longest_seconds = 0;  // 0: a quarter of the median, four times the median
};

// surveys[i] is of dataset.tracks[i]; prints are of those that can be read. Reads nothing but the folder's listing.
std::vector<Finding> check_dataset(const Dataset& dataset, std::span<const AudioSurvey> surveys,
                                   std::span<const TrackPrint> prints, const CheckLimits& limits);

struct LabelBalance {
  std::string label;
  int64_t tracks = 0;
  double seconds = 0;  // of those that can be read
};
std::vector<LabelBalance> label_balance(const Dataset& dataset, std::span<const AudioSurvey> surveys);

// Of the files that can be read; 0 when there are none.
double median_seconds(std::span<const AudioSurvey> surveys);

}  // namespace melgrad
