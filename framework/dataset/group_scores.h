// The accuracy over tracks of which several may belong to one group, for example an artist.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "framework/training/metrics.h"

namespace melgrad {

// Sums the scores of tracks by their groups.
class GroupScores {
 public:
  // A track without a group (an empty one) is a group of its own. To compare two classifiers, `score.correct` is the
  // difference of their counts.
  void add(const std::string& track, const std::string& group, ClusterScore score);

  // bootstrap_accuracy of the groups. Recordings of one artist are alike, so their errors are correlated, and an
  // interval that drew single tracks would be too narrow. Throws Error if there is no track.
  Accuracy bootstrap() const;

 private:
  std::map<std::pair<std::string, std::string>, ClusterScore> scores_;  // by group and, without a group, track
};

}  // namespace melgrad
