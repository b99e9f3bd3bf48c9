#include "framework/dataset/track_prints.h"

#include <mutex>
#include <unordered_map>

namespace melgrad {

TrackPrints extract_prints(const Dataset& dataset, std::span<const size_t> tracks, const MelSettings& settings,
                           const CacheSettings& cache, Progress& progress, Device device) {
  std::unordered_map<size_t, Fingerprint> print_of_track;
  std::mutex mutex;
  const auto visit = [&](size_t track, const MelClip& clip, const ContentHash&) {
    Fingerprint print = make_fingerprint(clip, settings);
    const std::lock_guard lock(mutex);
    print_of_track.insert_or_assign(track, std::move(print));
  };
  Features features = extract_features(dataset, tracks, settings, cache, progress, {.device = device, .visit = visit});
  TrackPrints result{.prints = {}, .notes = std::move(features.notes)};
  for (const TrackFeatures& record : features.records) {
    result.prints.push_back({record.track, record.content, print_of_track.at(record.track)});
  }
  return result;
}

}  // namespace melgrad
