#include "apps/report/run_results.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "framework/audio/spectrogram_picture.h"
#include "framework/dataset/linear_baseline.h"
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

std::vector<int64_t> count_classes(const Dataset& dataset, std::span<const size_t> tracks) {
  std::vector<int64_t> counts(dataset.labels.size());
  for (const size_t track : tracks) ++counts[static_cast<size_t>(dataset.tracks[track].label)];
  return counts;
}

// ---- baselines

Baseline compare(const RunResults& results, const std::vector<int>& answers, const std::string& description) {
  std::vector<TrackResult> baseline = results.tracks;
  for (size_t i = 0; i < answers.size(); ++i) baseline[i].predicted = answers[i];
  return {.accuracy = accuracy_of(baseline),
          .description = description,
          .gain = difference_of(results.tracks, baseline).value()};
}

std::vector<std::vector<float>> statistics_of(std::span<const MelClip> clips, double top_db) {
  std::vector<std::vector<float>> statistics;
  for (const MelClip& clip : clips) statistics.push_back(mel_statistics(clip, top_db));
  return statistics;
}

int largest(const std::vector<float>& values) {
  return static_cast<int>(std::ranges::max_element(values) - values.begin());
}

// The baselines learn from the training tracks of the run.
std::vector<Baseline> baselines_of(const RunResults& results, const RunEvaluation& evaluated,
                                   const FeatureRequest& request, const Reporter& reporter) {
  const Dataset& dataset = evaluated.dataset;
  const std::vector<size_t>& tracks = evaluated.split->train;
  if (tracks.empty()) return {};
  Features training = load_features(dataset, tracks, request, reporter, "training features");
  const std::vector<int> labels = training.labels(dataset);
  const std::vector<MelClip> training_clips = training.take_clips();
  // Clips of a model that limits the range of each crop are not limited yet.
  const double top_db = results.card.standardisation.top_db;
  const LogisticRegression model(statistics_of(training_clips, top_db), labels,
                                 static_cast<int64_t>(dataset.labels.size()));
  std::vector<int> linear;
  for (const std::vector<float>& statistics : statistics_of(evaluated.clips, top_db))
    linear.push_back(largest(model.predict(statistics)));

  const std::vector<int64_t> counts = count_classes(dataset, training.tracks());
  const auto majority = static_cast<size_t>(std::ranges::max_element(counts) - counts.begin());
  const std::vector<int> constant(evaluated.clips.size(), static_cast<int>(majority));
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
    auto [low, high] = std::ranges::minmax(mel.db());
    if (const double top_db = trained.card.standardisation.top_db; top_db > 0) {
      low = std::max(low, high - static_cast<float>(top_db));
    }
    ExplainedTrack explained{.track = i, .seconds = mel.seconds};
    explained.spectrogram = picture(mel.db(), mel, 600, 128, low, std::max(high, low + 1));
    explained.for_predicted = relevance_picture(trained, mel, track.predicted, options.inference);
    if (!track.is_correct()) explained.for_label = relevance_picture(trained, mel, track.label, options.inference);
    hardest.push_back(std::move(explained));
  }
  return hardest;
}

// ---- numbers

std::vector<TrackResult> results_of(const RunEvaluation& evaluated) {
  std::vector<TrackResult> results;
  for (size_t i = 0; i < evaluated.tracks.size(); ++i) {
    const Track& track = evaluated.tracks[i];
    const TrackPrediction& prediction = evaluated.predictions[i];
    results.push_back({.name = track.name,
                       .group = track.group,
                       .path = track.path,
                       .label = track.label,
                       .predicted = prediction.label(),
                       .probabilities = prediction.probabilities});
  }
  return results;
}

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
  const RunRecord record = record_of(trained.file.parent_path());
  const DatasetSource source = source_of(record, options, trained.file);
  RunEvaluation evaluated = evaluate_run(
      trained, {.source = source, .side = options.side, .inference = options.inference, .features = options.features},
      output);
  RunResults results{.name = name_of(run, trained.file),
                     .record = record,
                     .checkpoint = trained.file,
                     .card = trained.card,
                     .source = source,
                     .side = evaluated.side,
                     .tracks = results_of(evaluated),
                     .failures = evaluated.failures,
                     .evaluation = std::move(evaluated.evaluation)};
  if (evaluated.split) {
    results.split = {.train = count_classes(evaluated.dataset, evaluated.split->train),
                     .validation = count_classes(evaluated.dataset, evaluated.split->validation),
                     .test = count_classes(evaluated.dataset, evaluated.split->test)};
    results.baselines =
        baselines_of(results, evaluated, options.features.request(trained.card.mel, device), output.reporter());
  }
  add_curves(results);
  results.hardest = explain_hardest(results, evaluated.clips, trained, options);
  const int64_t n_mels = trained.card.mel.n_mels, frames = trained.card.crop_frames;
  const ArchitectureNode architecture = architecture_of(*trained.model, n_mels, frames);
  results.parameters = architecture.parameters;
  results.architecture = architecture_svg(architecture, trained.card.model, {1, n_mels, frames, 1}, false);
  return results;
}

}  // namespace melgrad
