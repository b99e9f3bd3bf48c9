#include "framework/dataset/group_scores.h"

#include <vector>

namespace melgrad {

void GroupScores::add(const std::string& track, const std::string& group, ClusterScore score) {
  ClusterScore& sum = scores_.try_emplace({group, group.empty() ? track : ""}, ClusterScore{.total = 0}).first->second;
  sum.correct += score.correct;
  sum.total += score.total;
}

Accuracy GroupScores::bootstrap() const {
  std::vector<ClusterScore> clusters;
  for (const auto& [key, score] : scores_) clusters.push_back(score);
  return bootstrap_accuracy(clusters, 0);
}

}  // namespace melgrad
