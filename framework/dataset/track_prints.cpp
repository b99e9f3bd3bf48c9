#include "framework/dataset/track_prints.h"

#include <algorithm>
#include <iterator>

namespace melgrad {

std::vector<TrackPrint> make_prints(std::span<const TrackFeatures> features, const MelSettings& settings) {
  std::vector<TrackPrint> prints;
  for (const TrackFeatures& record : features) {
    prints.push_back({record.track, record.content, make_fingerprint(record.log_mel, settings)});
  }
  return prints;
}

TrackPrints extract_prints(const Dataset& dataset, std::span<const size_t> tracks, const MelSettings& settings,
                           const std::filesystem::path& cache_folder, Progress& progress, Device device) {
  constexpr size_t tracks_at_a_time = 32;
  TrackPrints result;
  for (size_t done = 0; done < tracks.size();) {
    const auto some = tracks.subspan(done, std::min(tracks_at_a_time, tracks.size() - done));
    Progress silent("", 0, "", ProgressMode::quiet);
    const Features features = extract_features(dataset, some, settings, cache_folder, silent, device);
    std::ranges::move(make_prints(features.records, settings), std::back_inserter(result.prints));
    if (!features.note.empty()) result.note = features.note;
    done += some.size();
    progress.update(static_cast<int64_t>(done));
  }
  progress.finish();
  return result;
}

}  // namespace melgrad
