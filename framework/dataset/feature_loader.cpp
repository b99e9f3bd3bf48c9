#include "framework/dataset/feature_loader.h"

namespace melgrad {

Features load_features(const Dataset& dataset, std::span<const size_t> tracks, const FeatureRequest& request,
                       const Reporter& reporter, const std::string& what, bool check_later) {
  Progress progress(what, static_cast<int64_t>(tracks.size()), "tracks", reporter.progress);
  Features features = extract_features(dataset, tracks, request.mel, request.cache, progress,
                                       {.device = request.device, .check_later = check_later});
  for (const std::string& note : features.notes) reporter.note(note);
  for (const std::string& warning : features.warnings) reporter.warn(warning);
  if (!request.strict) {
    for (const std::string& message : features.failure_messages()) reporter.warn("left out: " + message);
  }
  require_tracks(features, dataset, request.strict);
  return features;
}

}  // namespace melgrad
