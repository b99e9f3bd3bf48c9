#include "framework/dataset/track_prints.h"

#include <algorithm>

namespace melgrad {

TrackPrints extract_prints(const Dataset& dataset, std::span<const size_t> tracks, const MelSettings& settings,
                           const std::filesystem::path& cache_folder, Progress& progress, Device device) {
  constexpr size_t tracks_at_a_time = 32;
  TrackPrints result;
  for (size_t done = 0; done < tracks.size();) {
    const auto some = tracks.subspan(done, std::min(tracks_at_a_time, tracks.size() - done));
    Progress silent("", 0, "", ProgressMode::quiet);
    const Features features = extract_features(dataset, some, settings, cache_folder, silent, device);
    for (size_t i = 0; i < some.size(); ++i) {
      if (features.clips[i].frames == 0) continue;
      result.prints.push_back({some[i], features.contents[i], make_fingerprint(features.clips[i], settings)});
    }
    if (!features.note.empty()) result.note = features.note;
    done += some.size();
    progress.update(static_cast<int64_t>(done));
  }
  progress.finish();
  return result;
}

}  // namespace melgrad
