#include "framework/dataset/evaluation.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "framework/dataset/group_scores.h"
#include "framework/dataset/split_csv.h"
#include "framework/io/file_text.h"

namespace melgrad {
namespace {

EvaluatedTracks all_tracks(const Dataset& dataset) {
  EvaluatedTracks all{.side = "all", .tracks = std::vector<size_t>(dataset.tracks.size()), .split = {}};
  std::iota(all.tracks.begin(), all.tracks.end(), size_t{0});
  return all;
}

Split split_of_run(const std::filesystem::path& split_file, const Dataset& dataset) {
  try {
    return read_split_csv(split_file, dataset);
  } catch (const Error& error) {
    fail("{}; if no track was used for training, evaluate all of them with --split all", error.what());
  }
}

}  // namespace

EvaluatedTracks select_tracks(const std::string& side, const std::filesystem::path& checkpoint, const Dataset& dataset,
                              const Reporter& reporter) {
  if (side == "all") return all_tracks(dataset);
  const std::filesystem::path split_file = checkpoint.parent_path() / "split.csv";
  if (side == "auto" && !std::filesystem::exists(split_file)) {
    reporter.note(
        fmt::format("there is no {}, so all tracks are evaluated; the accuracy is too high if the model was trained on "
                    "some of them",
                    split_file.string()));
    return all_tracks(dataset);
  }
  const Split split = split_of_run(split_file, dataset);
  const std::pair<const char*, const std::vector<size_t>*> sides[] = {
      {"test", &split.test}, {"validation", &split.validation}, {"train", &split.train}};
  for (const auto& [name, tracks] : sides) {
    if ((side == "auto" || side == name) && !tracks->empty()) return {.side = name, .tracks = *tracks, .split = split};
  }
  fail("{} has no {} tracks; choose another --split", split_file.string(), side);
}

void adopt_labels(Dataset& dataset, std::span<const size_t> tracks, const std::vector<std::string>& labels,
                  const std::filesystem::path& checkpoint) {
  for (const size_t i : tracks) {
    Track& track = dataset.tracks[i];
    const std::string& label = dataset.labels[static_cast<size_t>(track.label)];
    // Older models have labels in the form in which they were written.
    const auto found = std::ranges::find_if(labels, [&](const std::string& known) { return to_nfc(known) == label; });
    if (found == labels.end()) {
      fail(
          "{} has the label '{}', which the model {} does not have; its labels are {}; remove such tracks or rename "
          "their label",
          track.name, label, checkpoint.string(), fmt::join(labels, ", "));
    }
    track.label = static_cast<int>(found - labels.begin());
  }
  dataset.labels = labels;
}

Evaluation evaluate_predictions(std::span<const TrackPrediction> predictions, std::span<const Track> tracks,
                                const std::vector<std::string>& labels, double temperature) {
  ConfusionMatrix confusion(labels);
  GroupScores track_scores, segment_scores;
  std::vector<LabelledLogits> examples;
  for (size_t i = 0; i < predictions.size(); ++i) {
    const Track& track = tracks[i];
    const int answer = predictions[i].label();
    const std::vector<int>& voted = predictions[i].segments;
    confusion.add(track.label, answer);
    track_scores.add(track.name, track.group, {.correct = answer == track.label, .total = 1});
    segment_scores.add(track.name, track.group,
                       {.correct = std::ranges::count(voted, track.label), .total = std::ssize(voted)});
    examples.push_back({.logits = predictions[i].logits, .label = track.label});
  }
  return {.track_accuracy = track_scores.bootstrap(),
          .segment_accuracy = segment_scores.bootstrap(),
          .confusion = confusion,
          .report = classification_report(confusion),
          .calibration = calibration_at(temperature, examples)};
}

}  // namespace melgrad
