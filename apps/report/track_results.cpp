#include "apps/report/track_results.h"

#include <map>

#include "framework/dataset/group_scores.h"

namespace melgrad {

Accuracy accuracy_of(std::span<const TrackResult> tracks) {
  GroupScores scores;
  for (const TrackResult& track : tracks) scores.add(track.name, track.group, {.correct = track.is_correct()});
  return scores.bootstrap();
}

std::optional<Accuracy> difference_of(std::span<const TrackResult> first, std::span<const TrackResult> second) {
  if (first.size() != second.size()) return std::nullopt;
  std::map<std::string, bool> second_is_correct;
  for (const TrackResult& track : second) second_is_correct[track.name] = track.is_correct();
  GroupScores gains;
  for (const TrackResult& track : first) {
    const auto other = second_is_correct.find(track.name);
    if (other == second_is_correct.end()) return std::nullopt;
    gains.add(track.name, track.group, {.correct = (track.is_correct() ? 1 : 0) - (other->second ? 1 : 0)});
  }
  return gains.bootstrap();
}

}  // namespace melgrad
