// The answers of classifiers to tracks, and comparisons of classifiers on the same tracks. All intervals draw whole
// groups (GroupScores).
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "framework/training/metrics.h"

namespace melgrad {

struct TrackResult {
  std::string name, group;
  std::filesystem::path path;
  int label = 0, predicted = 0;
  std::vector<float> probabilities;  // one per class
  bool is_correct() const { return label == predicted; }
};

Accuracy accuracy_of(std::span<const TrackResult> tracks);

// The accuracy of the first classifier minus that of the second one; both are drawn together (paired bootstrap). Empty
// unless both answered to the same tracks.
std::optional<Accuracy> difference_of(std::span<const TrackResult> first, std::span<const TrackResult> second);

}  // namespace melgrad
