#include "framework/dataset/training_data.h"

#include <algorithm>
#include <initializer_list>
#include <iterator>
#include <map>
#include <string>
#include <utility>

#include "framework/dataset/label_check.h"
#include "framework/dataset/leak_check.h"
#include "framework/dataset/set_summary.h"

namespace melgrad {
namespace {

// No spectrogram has a dynamic range this wide: the lowest value of a power is 1e-10.
constexpr double widest_top_db = 1000;

// Silence, and nothing else, gives equal values in every mel bin.
void require_variation(const SetSummary& summary, const Dataset& dataset) {
  if (summary.lowest != summary.highest) return;
  fail(
      "{}: all features of the training tracks have the value {} dB, so there is nothing to learn; melgrad check "
      "names the silent tracks",
      dataset.source.string(), summary.lowest);
}

// Test tracks that cannot be read are ignored; melgrad evaluate reports them.
Features test_features(const Dataset& dataset, const Split& split, const FeatureRequest& request,
                       const Reporter& reporter) {
  if (split.test.empty()) return {};
  Progress progress("test features", std::ssize(split.test), "tracks", reporter.progress);
  return extract_features(dataset, split.test, request.mel, request.cache, progress,
                          {.device = request.device, .check_later = true});
}

std::map<size_t, std::string> contents_of(std::initializer_list<const Features*> sides) {
  std::map<size_t, std::string> contents;
  for (const Features* side : sides) {
    for (const TrackFeatures& record : side->records) contents[record.track] = to_text(record.content);
  }
  return contents;
}

}  // namespace

TrainingData prepare_training_data(const Dataset& dataset, const Split& split, const std::string& model,
                                   int64_t crop_frames, const FeatureRequest& request, const Reporter& reporter,
                                   bool with_recordings, Residency residency) {
  validate(request.mel);
  for (const std::string& note : setting_notes(request.mel)) reporter.note(note);
  constexpr bool check_later = true;
  SplitFeatures features;
  features.training = load_features(dataset, split.train, request, reporter, "training features", check_later);
  features.validation = load_features(dataset, split.validation, request, reporter, "validation features", check_later);
  check_labels(dataset, split, features.training, reporter);
  features.test = test_features(dataset, split, request, reporter);
  const Split readable{
      .train = features.training.tracks(), .validation = features.validation.tracks(), .test = split.test};
  SetSummary summary = summarise(dataset, readable, features, request, reporter);
  report_leaks(summary.leaks, dataset, request.strict, reporter);
  require_variation(summary, dataset);

  const std::map<size_t, std::string> contents = contents_of({&features.training, &features.validation});
  std::vector<MelClip> training_clips = features.training.take_clips();
  std::vector<MelClip> validation_clips = features.validation.take_clips();
  FeatureRequest validation_request = request;
  ModelCard card{.model = model,
                 .labels = dataset.labels,
                 .mel = request.mel,
                 .standardisation = summary.standardisation,
                 .crop_frames = crop_frames > 0 ? crop_frames : crop_frames_for(training_clips)};
  std::optional<RecordingStore> recordings;
  if (with_recordings) {
    training_clips = {};  // frees the memory before the samples are loaded
    card.standardisation.top_db = request.mel.top_db;
    card.mel.top_db = widest_top_db;
    validation_request.mel = card.mel;
    validation_clips =
        load_features(dataset, readable.validation, validation_request, reporter, "validation features").take_clips();
    recordings.emplace(load_recordings(dataset, readable.train, request.mel.sample_rate, reporter),
                       features.training.labels(dataset), std::ssize(dataset.labels), request.device);
  }
  const auto store = [&](std::vector<MelClip> clips, const std::vector<size_t>& tracks, const std::vector<int>& labels,
                         const FeatureRequest& of) {
    const auto repair = [&dataset, tracks, of, reporter](int64_t clip) {
      return reload(dataset, tracks[static_cast<size_t>(clip)], of, reporter);
    };
    return std::make_unique<ClipStore>(std::move(clips), labels, std::ssize(dataset.labels), card.standardisation,
                                       request.device, residency, repair);
  };
  std::unique_ptr<ClipStore> training_store;
  if (!with_recordings) {
    training_store = store(std::move(training_clips), readable.train, features.training.labels(dataset), request);
  }
  std::vector<std::string> failures = features.training.failure_messages();
  std::ranges::move(features.validation.failure_messages(), std::back_inserter(failures));
  return {.card = card,
          .split = readable,
          .names = features.training.names(dataset),
          .failures = std::move(failures),
          .leaks = std::move(summary.leaks),
          .contents = contents,
          .training = std::move(training_store),
          .recordings = std::move(recordings),
          .validation = store(std::move(validation_clips), readable.validation, features.validation.labels(dataset),
                              validation_request)};
}

}  // namespace melgrad
