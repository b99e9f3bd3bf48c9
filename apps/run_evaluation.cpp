#include "apps/run_evaluation.h"

#include <algorithm>
#include <utility>

namespace melgrad {
namespace {

// The evaluated tracks and those of all sides of the split, each once.
std::vector<size_t> known_tracks(const EvaluatedTracks& evaluated) {
  std::vector<size_t> tracks = evaluated.tracks;
  if (evaluated.split) {
    for (const auto* side : {&evaluated.split->train, &evaluated.split->validation, &evaluated.split->test})
      tracks.insert(tracks.end(), side->begin(), side->end());
  }
  std::ranges::sort(tracks);
  tracks.erase(std::unique(tracks.begin(), tracks.end()), tracks.end());
  return tracks;
}

}  // namespace

RunEvaluation evaluate_run(const TrainedModel& trained, const EvaluationRequest& request, const OutputOptions& output) {
  const ModelCard& card = trained.card;
  const Reporter reporter = output.reporter();
  Dataset dataset = load_dataset(request.source);
  for (const std::string& warning : dataset.warnings) output.note(warning);
  const EvaluatedTracks evaluated = select_tracks(request.side, trained.file, dataset, reporter);
  adopt_labels(dataset, known_tracks(evaluated), card.labels, trained.file);
  Features loaded = load_features(dataset, evaluated.tracks, request.features.request(card.mel, trained.device),
                                  reporter, "features");
  std::vector<MelClip> clips = loaded.take_clips();
  const ClipStore store(clips, loaded.labels(dataset), trained.classes(), card.standardisation, trained.device,
                        residency_of(request.features.residency));
  if (const std::string note = calibration_note(card, trained.file.string()); !note.empty()) output.note(note);
  InferenceOptions inference = request.inference;
  inference.crop_frames = card.crop_frames;
  inference.temperature = card.temperature.value_or(1);
  std::vector<TrackPrediction> predictions = predict_tracks(*trained.model, store, inference);
  std::vector<Track> tracks;
  for (const size_t i : loaded.tracks()) tracks.push_back(dataset.tracks[i]);
  Evaluation evaluation = evaluate_predictions(predictions, tracks, card.labels, inference.temperature);
  return {.dataset = std::move(dataset),
          .side = evaluated.side,
          .split = evaluated.split,
          .tracks = std::move(tracks),
          .clips = std::move(clips),
          .predictions = std::move(predictions),
          .failures = loaded.failure_messages(),
          .evaluation = std::move(evaluation)};
}

}  // namespace melgrad
