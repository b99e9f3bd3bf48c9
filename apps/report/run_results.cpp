#include "apps/report/run_results.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "framework/audio/spectrogram_picture.h"
#include "framework/dataset/linear_baseline.h"
#include "framework/dataset/split_csv.h"
#include "framework/io/gray_png.h"
#include "models/architecture.h"

namespace melgrad {
namespace {

namespace fs = std::filesystem;

// ---- data

DatasetSource source_of(const RunRecord& record, const ReportOptions& options, const fs::path& checkpoint) {
  if (!options.data.empty()) return options.labels.source(options.data);
  const std::string data = record.option("data");
  if (data.empty()) {
    fail("{} has no config.toml that names its data set; give the data set with --data",
         checkpoint.parent_path().string());
  }
  if (!fs::exists(data)) {
    fail("{}, the data set of {}, does not exist; give its new place with --data", data,
         checkpoint.parent_path().string());
  }
  return {.data = data,
          .labels = record.option("labels"),
          .path_column = record.option("path_column"),
          .label_column = record.option("label_column"),
          .fold_column = record.option("fold_column")};
}

std::optional<Split> split_of(const fs::path& checkpoint, const Dataset& dataset) {
  const fs::path file = checkpoint.parent_path() / "split.csv";
  if (!fs::exists(file)) return std::nullopt;
  return read_split_csv(file, dataset);
}

std::vector<int64_t> count_classes(const Dataset& dataset, std::span<const size_t> tracks) {
  std::vector<int64_t> counts(dataset.labels.size());
  for (const size_t track : tracks) ++counts[static_cast<size_t>(dataset.tracks[track].label)];
  return counts;
}

// ---- baselines

// Two answers to the same tracks: the interval of the difference draws tracks, so that both are drawn together.
Accuracy paired_difference(const std::vector<bool>& first, const std::vector<bool>& second) {
  std::vector<ClusterScore> differences;
  for (size_t i = 0; i < first.size(); ++i) {
    differences.push_back({.correct = static_cast<int64_t>(first[i]) - static_cast<int64_t>(second[i]), .total = 1});
  }
  return bootstrap_accuracy(differences, 0);
}

std::vector<bool> correct_tracks(const RunResults& results) {
  std::vector<bool> correct;
  for (const TrackResult& track : results.tracks) correct.push_back(track.is_correct());
  return correct;
}

Baseline compare(const RunResults& results, const std::vector<int>& answers, const std::string& description) {
  std::vector<bool> correct;
  std::vector<ClusterScore> scores;
  for (size_t i = 0; i < answers.size(); ++i) {
    correct.push_back(answers[i] == results.tracks[i].label);
    scores.push_back({.correct = correct.back(), .total = 1});
  }
  return {.accuracy = bootstrap_accuracy(scores, 0),
          .description = description,
          .gain = paired_difference(correct_tracks(results), correct)};
}

std::vector<std::vector<float>> statistics_of(std::span<const MelClip> clips) {
  std::vector<std::vector<float>> statistics;
  for (const MelClip& clip : clips) statistics.push_back(mel_statistics(clip));
  return statistics;
}

int largest(const std::vector<float>& values) {
  return static_cast<int>(std::ranges::max_element(values) - values.begin());
}

// The baselines learn from the training tracks of the run.
std::vector<Baseline> baselines_of(const RunResults& results, const std::vector<MelClip>& clips, const Dataset& dataset,
                                   const Split& split, const FeatureRequest& request, const Reporter& reporter) {
  if (split.train.empty()) return {};
  Features training = load_features(dataset, split.train, request, reporter, "training features");
  const std::vector<int> labels = training.labels(dataset);
  const std::vector<MelClip> training_clips = training.take_clips();
  const LogisticRegression model(statistics_of(training_clips), labels, static_cast<int64_t>(dataset.labels.size()));
  std::vector<int> linear;
  for (const std::vector<float>& statistics : statistics_of(clips))
    linear.push_back(largest(model.predict(statistics)));

  const std::vector<int64_t> counts = count_classes(dataset, training.tracks());
  const auto majority = static_cast<size_t>(std::ranges::max_element(counts) - counts.begin());
  const std::vector<int> constant(clips.size(), static_cast<int>(majority));
  return {compare(results, linear, "Linear baseline"),
          compare(results, constant, fmt::format("Always “{}”", dataset.labels[majority]))};
}

// ---- pictures

std::string picture(std::span<const float> values, const MelClip& mel, int columns, int rows, double low, double high) {
  std::vector<uint8_t> shades;
  // 64 shades look the same as 256 and make the file smaller.
  for (const double mean : pixel_means(values, mel.n_mels, mel.frames, columns, rows)) {
    shades.push_back(static_cast<uint8_t>(4 * std::lround(63 * std::clamp((mean - low) / (high - low), 0.0, 1.0))));
  }
  return gray_png(columns, rows, shades);
}

std::string relevance_picture(const TrainedModel& trained, const MelClip& mel, int label,
                              const InferenceOptions& inference) {
  const Relevance relevance = relevance_of(trained, mel, label, inference);
  return picture(relevance.values, mel, 160, 24, 0, 1);
}

std::vector<ExplainedTrack> explain_hardest(const RunResults& results, const std::vector<MelClip>& clips,
                                            const TrainedModel& trained, const ReportOptions& options) {
  std::vector<size_t> order(results.tracks.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, {}, [&](size_t i) {
    return results.tracks[i].probabilities[static_cast<size_t>(results.tracks[i].label)];
  });
  order.resize(std::min(order.size(), options.hardest));
  std::vector<ExplainedTrack> hardest;
  for (const size_t i : order) {
    const TrackResult& track = results.tracks[i];
    const MelClip& mel = clips[i];
    const auto [low, high] = std::ranges::minmax(mel.db());
    ExplainedTrack explained{.track = i, .seconds = mel.seconds};
    explained.spectrogram = picture(mel.db(), mel, 600, 128, low, std::max(high, low + 1));
    explained.for_predicted = relevance_picture(trained, mel, track.predicted, options.inference);
    if (!track.is_correct()) explained.for_label = relevance_picture(trained, mel, track.label, options.inference);
    hardest.push_back(std::move(explained));
  }
  return hardest;
}

// ---- numbers

void add_curves(RunResults& results) {
  for (size_t c = 0; c < results.card.labels.size(); ++c) {
    std::vector<double> scores;
    std::vector<bool> positive;
    for (const TrackResult& track : results.tracks) {
      scores.push_back(track.probabilities[c]);
      positive.push_back(track.label == static_cast<int>(c));
    }
    results.curves.push_back(roc_curve(scores, positive));
  }
}

RunRecord record_of(const fs::path& folder) {
  return is_run_folder(folder) ? read_run_record(folder) : RunRecord{.folder = folder};
}

std::string name_of(const std::string& run, const fs::path& checkpoint) {
  const std::string folder = fs::absolute(checkpoint).parent_path().filename().string();
  return fs::is_directory(run) ? folder : folder + "/" + checkpoint.filename().string();
}

}  // namespace

RunResults examine_run(const std::string& run, const ReportOptions& options, Device device,
                       const OutputOptions& output) {
  const TrainedModel trained = load_trained_model(run, device);
  RunResults results{.name = name_of(run, trained.file),
                     .record = record_of(trained.file.parent_path()),
                     .checkpoint = trained.file,
                     .card = trained.card};
  results.source = source_of(results.record, options, trained.file);
  results.data = results.source.data.string();
  Dataset dataset = load_dataset(results.source);
  const Reporter reporter = output.reporter();
  const auto [side, tracks] = select_tracks(options.side, trained.file, dataset, reporter);
  results.side = side;
  if (const std::string note = calibration_note(trained.card, trained.file.string()); !note.empty()) output.note(note);
  const std::optional<Split> split = split_of(trained.file, dataset);
  std::vector<size_t> known = tracks;
  if (split) {
    for (const auto* part : {&split->train, &split->validation, &split->test})
      known.insert(known.end(), part->begin(), part->end());
  }
  // A track may be in the list twice; the labels of each are replaced once.
  std::ranges::sort(known);
  known.erase(std::unique(known.begin(), known.end()), known.end());
  adopt_labels(dataset, known, trained.card.labels, trained.file);
  if (split) {
    results.split = {.train = count_classes(dataset, split->train),
                     .validation = count_classes(dataset, split->validation),
                     .test = count_classes(dataset, split->test)};
  }

  const FeatureRequest request = options.features.request(trained.card.mel, device);
  Features loaded = load_features(dataset, tracks, request, reporter, "features");
  results.failures = loaded.failure_messages();
  const std::vector<MelClip> clips = loaded.take_clips();
  const ClipStore store(clips, loaded.labels(dataset), trained.classes(), trained.card.standardisation, device);
  InferenceOptions inference = options.inference;
  inference.crop_frames = trained.card.crop_frames;
  inference.temperature = trained.card.temperature.value_or(1);
  const std::vector<TrackPrediction> predictions = predict_tracks(*trained.model, store, inference);
  results.evaluation = evaluate_predictions(predictions, store, trained.card.labels, inference.temperature);
  for (size_t i = 0; i < predictions.size(); ++i) {
    const Track& track = dataset.tracks[loaded.records[i].track];
    results.tracks.push_back({.name = track.name,
                              .group = track.group,
                              .path = track.path,
                              .label = track.label,
                              .predicted = predictions[i].label(),
                              .probabilities = predictions[i].probabilities});
  }
  results.wilson =
      wilson_accuracy(std::ranges::count_if(results.tracks, &TrackResult::is_correct), std::ssize(results.tracks));
  if (split) results.baselines = baselines_of(results, clips, dataset, *split, request, reporter);
  add_curves(results);
  results.hardest = explain_hardest(results, clips, trained, options);
  const int64_t n_mels = trained.card.mel.n_mels, frames = trained.card.crop_frames;
  const ArchitectureNode architecture = architecture_of(*trained.model, n_mels, frames);
  results.parameters = architecture.parameters;
  results.architecture = architecture_svg(architecture, trained.card.model, {1, n_mels, frames, 1}, false);
  return results;
}

std::optional<Accuracy> difference_of(const RunResults& first, const RunResults& second) {
  const auto correct_by_name = [](const RunResults& results) {
    std::map<std::string, bool> correct;
    for (const TrackResult& track : results.tracks) correct[track.name] = track.is_correct();
    return correct;
  };
  const std::map<std::string, bool> a = correct_by_name(first), b = correct_by_name(second);
  std::vector<bool> first_correct, second_correct;
  if (first.data != second.data || a.size() != b.size()) return std::nullopt;
  for (auto i = a.begin(), j = b.begin(); i != a.end(); ++i, ++j) {
    if (i->first != j->first) return std::nullopt;
    first_correct.push_back(i->second);
    second_correct.push_back(j->second);
  }
  return paired_difference(first_correct, second_correct);
}

}  // namespace melgrad
