#include "framework/dataset/checkup.h"

#include <mutex>

#include "framework/dataset/track_prints.h"
#include "kernels/device/parallel.h"

namespace melgrad {
namespace {

std::vector<AudioSurvey> survey_tracks(const Dataset& dataset, ProgressMode mode) {
  const auto count = static_cast<int64_t>(dataset.tracks.size());
  std::vector<AudioSurvey> surveys(dataset.tracks.size());
  Progress progress("listening", count, "tracks", mode);
  int64_t done = 0;
  std::mutex mutex;
  kernel::for_each_task(count, [&](int64_t i) {
    surveys[static_cast<size_t>(i)] = survey_audio(dataset.tracks[static_cast<size_t>(i)].path);
    const std::lock_guard lock(mutex);
    progress.update(++done);
  });
  progress.finish();
  return surveys;
}

}  // namespace

Checkup check_up(const Dataset& dataset, const CheckLimits& limits, const CacheSettings& cache, Device device,
                 const Reporter& reporter) {
  Checkup checkup{.surveys = survey_tracks(dataset, reporter.progress)};
  std::vector<size_t> readable;
  for (size_t i = 0; i < checkup.surveys.size(); ++i) {
    if (checkup.surveys[i].state == AudioState::readable) readable.push_back(i);
  }
  Progress progress("fingerprints", static_cast<int64_t>(readable.size()), "tracks", reporter.progress);
  const TrackPrints prints = extract_prints(dataset, readable, MelSettings(), cache, progress, device);
  for (const std::string& note : prints.notes) reporter.note(note);
  checkup.findings = check_dataset(dataset, checkup.surveys, prints.prints, limits);
  return checkup;
}

std::map<int, int64_t> tracks_of_rate(std::span<const AudioSurvey> surveys) {
  std::map<int, int64_t> tracks;
  for (const AudioSurvey& survey : surveys) {
    if (survey.state == AudioState::readable) ++tracks[survey.sample_rate];
  }
  return tracks;
}

}  // namespace melgrad
