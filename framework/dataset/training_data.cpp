#include "framework/dataset/training_data.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "framework/dataset/label_check.h"

namespace melgrad {

TrainingData prepare_training_data(const Dataset& dataset, const Split& split, const std::string& model,
                                   int64_t crop_frames, const FeatureRequest& request, const Reporter& reporter) {
  Features training = load_features(dataset, split.train, request, reporter, "training features");
  Features validation = load_features(dataset, split.validation, request, reporter, "validation features");
  check_labels(dataset, split, training, reporter);
  const Split readable{.train = training.tracks(), .validation = validation.tracks(), .test = split.test};
  std::vector<Leak> leaks = check_leaks(dataset, readable, training, validation, request, reporter);

  const std::vector<LogMel> training_clips = training.take_clips(), validation_clips = validation.take_clips();
  const ModelCard card{.model = model,
                       .labels = dataset.labels,
                       .mel = request.mel,
                       .standardisation = standardisation_of(training_clips),
                       .crop_frames = crop_frames};
  const auto store = [&](const std::vector<LogMel>& clips, const Features& features) {
    return ClipStore(clips, features.labels(dataset), static_cast<int64_t>(dataset.labels.size()), card.standardisation,
                     request.device);
  };
  std::vector<std::string> failures = training.failure_messages();
  std::ranges::move(validation.failure_messages(), std::back_inserter(failures));
  return {.card = card,
          .split = readable,
          .names = training.names(dataset),
          .failures = std::move(failures),
          .leaks = std::move(leaks),
          .training = store(training_clips, training),
          .validation = store(validation_clips, validation)};
}

}  // namespace melgrad
