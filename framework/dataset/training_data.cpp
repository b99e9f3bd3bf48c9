#include "framework/dataset/training_data.h"

#include <algorithm>
#include <initializer_list>
#include <iterator>
#include <map>
#include <string>
#include <utility>

#include "framework/dataset/label_check.h"

namespace melgrad {
namespace {

// No spectrogram has a dynamic range this wide: the lowest value of a power is 1e-10.
constexpr double widest_top_db = 1000;

// Silence, and nothing else, gives equal values in every mel bin.
void require_variation(const std::vector<LogMel>& clips, const Dataset& dataset) {
  const float first = clips.front().db.front();
  const auto is_constant = [first](const LogMel& clip) {
    return std::ranges::all_of(clip.db, [first](float value) { return value == first; });
  };
  if (std::ranges::all_of(clips, is_constant)) {
    fail(
        "{}: all features of the training tracks have the value {} dB, so there is nothing to learn; melgrad check "
        "names the silent tracks",
        dataset.source.string(), first);
  }
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
                                   bool with_recordings) {
  validate(request.mel);
  for (const std::string& note : setting_notes(request.mel)) reporter.note(note);
  Features training = load_features(dataset, split.train, request, reporter, "training features");
  Features validation = load_features(dataset, split.validation, request, reporter, "validation features");
  check_labels(dataset, split, training, reporter);
  const Split readable{.train = training.tracks(), .validation = validation.tracks(), .test = split.test};
  std::vector<Leak> leaks = check_leaks(dataset, readable, training, validation, request, reporter);

  const std::map<size_t, std::string> contents = contents_of({&training, &validation});
  std::vector<LogMel> training_clips = training.take_clips();
  std::vector<LogMel> validation_clips = validation.take_clips();
  require_variation(training_clips, dataset);
  ModelCard card{.model = model,
                 .labels = dataset.labels,
                 .mel = request.mel,
                 .standardisation = standardisation_of(training_clips),
                 .crop_frames = crop_frames > 0 ? crop_frames : crop_frames_for(training_clips)};
  const auto store = [&](const std::vector<LogMel>& clips, const Features& features) {
    return ClipStore(clips, features.labels(dataset), static_cast<int64_t>(dataset.labels.size()), card.standardisation,
                     request.device);
  };
  std::optional<ClipStore> training_store;
  std::optional<RecordingStore> recordings;
  if (with_recordings) {
    training_clips = {};  // frees the memory before the samples are loaded
    card.standardisation.top_db = request.mel.top_db;
    card.mel.top_db = widest_top_db;
    FeatureRequest unlimited = request;
    unlimited.mel = card.mel;
    validation_clips =
        load_features(dataset, readable.validation, unlimited, reporter, "validation features").take_clips();
    recordings.emplace(load_recordings(dataset, readable.train, request.mel.sample_rate, reporter),
                       training.labels(dataset), std::ssize(dataset.labels), request.device);
  } else {
    training_store = store(training_clips, training);
  }
  std::vector<std::string> failures = training.failure_messages();
  std::ranges::move(validation.failure_messages(), std::back_inserter(failures));
  return {.card = card,
          .split = readable,
          .names = training.names(dataset),
          .failures = std::move(failures),
          .leaks = std::move(leaks),
          .contents = contents,
          .training = std::move(training_store),
          .recordings = std::move(recordings),
          .validation = store(validation_clips, validation)};
}

}  // namespace melgrad
