// The way from music to features: of clips in memory, and of the files of a data set.
#include <chrono>
#include <numeric>

#include "bench/benchmarks.h"
#include "bench/timing.h"
#include "framework/audio/log_mel.h"
#include "framework/audio/mono_samples.h"
#include "framework/dataset/feature_cache.h"
#include "framework/io/npy.h"
#include "kernels/device/thread_pool.h"

namespace melgrad::bench {
namespace {

void write_features(const std::string& npy, const MelClip& mel) {
  if (!npy.empty()) write_npy(npy, mel.db(), {mel.n_mels, mel.frames});
}

Dataset open_data(const Settings& s) {
  if (s.data.empty()) fail("this benchmark needs music; give --data");
  return load_dataset(std::filesystem::path(s.data));
}

}  // namespace

nlohmann::ordered_json log_mel_clips(const Settings& s) {
  const MelSettings settings{.htk = s.htk};
  const Dataset dataset = open_data(s);
  std::vector<std::vector<float>> clips;
  for (size_t i = 0; i < std::min(s.clips, dataset.tracks.size()); ++i) {
    clips.push_back(mono_samples(dataset.tracks[i].path, settings.sample_rate));
  }
  LogMel first;
  int64_t frames = 0;
  const Timing timing = measure(
      Stream::of(s.device),
      [&] {
        frames = 0;
        for (const std::vector<float>& clip : clips) {
          LogMel mel = log_mel(clip, settings, s.device);
          frames += mel.frames;
          if (&clip == clips.data()) first = std::move(mel);
        }
      },
      5, 0.2);
  write_features(s.npy, first);
  fmt::print("log-mel of {} clips in memory: {:.3f} ms a clip, {:.0f} thousand frames/s\n", clips.size(),
             timing.median_seconds * 1e3 / static_cast<double>(clips.size()),
             static_cast<double>(frames) / timing.median_seconds / 1e3);
  return {{"clips", clips.size()},
          {"frames", frames},
          {"seconds", timing.median_seconds},
          {"least_seconds", timing.least_seconds}};
}

nlohmann::ordered_json features(const Settings& s) {
  const MelSettings settings{.htk = s.htk};
  const Dataset dataset = open_data(s);
  std::vector<size_t> tracks(std::min(s.clips, dataset.tracks.size()));
  std::iota(tracks.begin(), tracks.end(), size_t{0});
  Progress progress("features", std::ssize(tracks), "tracks", ProgressMode::quiet);
  const auto start = std::chrono::steady_clock::now();
  const Features computed = extract_features(dataset, tracks, settings, {}, progress, {.device = s.device});
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  require_tracks(computed, dataset, true);
  write_features(s.npy, computed.records.front().log_mel);
  fmt::print("features of {} files: {:.2f} s, {:.1f} ms a file, {} thread(s)\n", tracks.size(), took.count(),
             took.count() * 1e3 / static_cast<double>(tracks.size()), thread_count());
  return {{"files", tracks.size()}, {"threads", thread_count()}, {"seconds", took.count()}};
}

}  // namespace melgrad::bench
