#include "framework/dataset/recording_store.h"

#include <algorithm>
#include <cmath>
#include <mutex>

#include "framework/audio/mono_samples.h"
#include "framework/terminal/interrupt.h"
#include "framework/terminal/progress.h"
#include "kernels/device/parallel.h"

namespace melgrad {
RecordingSamples quantise(std::span<const float> mono) {
  MELGRAD_CHECK(!mono.empty(), "a recording without samples");
  constexpr float highest = 32767;
  float peak = 0;
  double squares = 0;
  for (const float sample : mono) {
    peak = std::max(peak, std::abs(sample));
    squares += static_cast<double>(sample) * static_cast<double>(sample);
  }
  RecordingSamples result{.samples = {}, .scale = peak > 0 ? peak / highest : 1 / highest};
  result.samples.reserve(mono.size());
  for (const float sample : mono) {
    result.samples.push_back(static_cast<int16_t>(std::lrint(std::clamp(sample / result.scale, -highest, highest))));
  }
  result.level = static_cast<float>(10 * std::log10(std::max(1e-10, squares / static_cast<double>(mono.size()))));
  return result;
}

std::vector<RecordingSamples> load_recordings(const Dataset& dataset, std::span<const size_t> tracks, int sample_rate,
                                              const Reporter& reporter) {
  std::vector<RecordingSamples> recordings(tracks.size());
  Progress progress("training samples", std::ssize(tracks), "tracks", reporter.progress);
  std::mutex mutex;
  int64_t done = 0;
  kernel::for_each_task(std::ssize(tracks), [&](int64_t i) {
    if (interrupted()) return;
    const auto track = static_cast<size_t>(i);
    recordings[track] = quantise(mono_samples(dataset.tracks[tracks[track]].path, sample_rate));
    const std::lock_guard lock(mutex);
    progress.update(++done);
  });
  if (interrupted())
    throw Interrupted(fmt::format("interrupted after the samples of {} of {} tracks", done, tracks.size()));
  progress.finish();
  return recordings;
}

RecordingStore::RecordingStore(std::span<const RecordingSamples> recordings, std::span<const int> labels,
                               int64_t classes, Device device)
    : device_(device), classes_(classes) {
  MELGRAD_CHECK(recordings.size() == labels.size() && !recordings.empty(), "{} recordings with {} labels",
                recordings.size(), labels.size());
  std::vector<kernel::Recording> table;
  for (const RecordingSamples& recording : recordings) {
    samples_.emplace_back(std::span<const int16_t>(recording.samples), device);
    table.push_back({samples_.back().data(), std::ssize(recording.samples), recording.scale, recording.level});
    bytes_ += recording.samples.size() * sizeof(int16_t);
  }
  recordings_ = {table, device};
  labels_ = {std::vector<int32_t>(labels.begin(), labels.end()), device};
}

}  // namespace melgrad
