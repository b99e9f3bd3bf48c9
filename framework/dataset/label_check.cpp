#include "framework/dataset/label_check.h"

#include <fmt/ranges.h>

#include <algorithm>

namespace melgrad {
namespace {

std::vector<int64_t> tracks_of_labels(const Dataset& dataset, std::span<const size_t> tracks) {
  std::vector<int64_t> counts(dataset.labels.size());
  for (const size_t track : tracks) ++counts[static_cast<size_t>(dataset.tracks[track].label)];
  return counts;
}

// The labels without a track, up to ten of them.
std::string absent_labels(const Dataset& dataset, std::span<const size_t> tracks) {
  const std::vector<int64_t> counts = tracks_of_labels(dataset, tracks);
  constexpr size_t most = 10;
  std::vector<std::string> shown;
  size_t absent = 0;
  for (size_t label = 0; label < counts.size(); ++label) {
    if (counts[label] > 0) continue;
    if (++absent <= most) shown.push_back(dataset.labels[label]);
  }
  if (absent == 0) return "";
  return fmt::format("{} of {} labels ({}{})", absent, counts.size(), fmt::join(shown, ", "),
                     absent > most ? ", ..." : "");
}

}  // namespace

void check_labels(const Dataset& dataset, const Split& split, const Features& training, const Reporter& reporter) {
  const std::vector<int64_t> trained = tracks_of_labels(dataset, training.tracks());
  for (size_t label = 0; label < trained.size(); ++label) {
    if (trained[label] > 0) continue;
    fail("{}: no track of '{}' is left to train on; add tracks, or leave the label out", dataset.source.string(),
         dataset.labels[label]);
  }
  struct Side {
    const char* name;
    const std::vector<size_t>& tracks;
  };
  for (const auto& [name, tracks] : {Side{"validation", split.validation}, Side{"test", split.test}}) {
    if (tracks.empty()) continue;
    if (const std::string absent = absent_labels(dataset, tracks); !absent.empty()) {
      reporter.warn(fmt::format("{}: the {} side has no track of {}; add tracks, or change the fraction",
                                dataset.source.string(), name, absent));
    }
  }
}

}  // namespace melgrad
