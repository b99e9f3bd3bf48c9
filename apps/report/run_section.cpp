#include "apps/report/run_section.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <optional>
#include <utility>

#include "apps/report/chart.h"
#include "apps/report/template_data.h"
#include "framework/audio/spectrogram_picture.h"
#include "framework/io/html.h"
#include "framework/io/ticks.h"
#include "framework/terminal/text.h"

namespace melgrad {
namespace {

using nlohmann::json;

// Matrices of more classes would not be legible.
constexpr size_t most_classes_of_matrix = 30, most_curves = 10;

// ---- learning

// A range that contains all values, from 0 unless all are far above it.
std::pair<double, double> range_of(const std::vector<Series>& series) {
  double low = INFINITY, high = -INFINITY;
  for (const Series& one : series) {
    for (const ChartPoint& point : one.points) {
      if (!std::isfinite(point.y)) continue;
      low = std::min(low, point.y);
      high = std::max(high, point.y);
    }
  }
  if (low > high) return {0, 1};
  const double margin = std::max(1e-3, 0.06 * (high - low));
  return {std::max(0.0, low - margin), high + margin};
}

void add_learning(json& run, const RunRecord& record) {
  run["has_log"] = !record.epochs.empty();
  if (record.epochs.empty()) return;
  const auto series = [&](const char* name, const char* key, int color, bool dashed) {
    Series one{.name = name, .color = color, .dashed = dashed};
    for (size_t i = 0; i < record.epochs.size(); ++i) {
      const json& epoch = record.epochs[i];
      const bool known = epoch.contains(key) && epoch[key].is_number();
      one.points.push_back({static_cast<double>(i + 1), known ? epoch[key].get<double>() : NAN});
    }
    return one;
  };
  const std::vector<Series> losses{series("training", "train_loss", 0, true),
                                   series("validation", "validation_loss", 1, false)};
  const std::vector<Series> accuracies{series("training", "train_accuracy", 0, true),
                                       series("validation, tracks", "validation_track_accuracy", 1, false)};
  const auto hints = [](const std::vector<Series>& lines) {
    std::vector<Hint> result;
    for (size_t i = 0; i < lines[0].points.size(); ++i) {
      result.push_back({lines[0].points[i].x,
                        fmt::format("epoch {}: training {:.3f}, validation {:.3f}", i + 1,
                                    without_nan_sign(lines[0].points[i].y), without_nan_sign(lines[1].points[i].y))});
    }
    return result;
  };
  size_t best = 0;
  for (size_t i = 0; i < record.epochs.size(); ++i) {
    if (record.epochs[i].value("best", false)) best = i + 1;
  }
  const double last = std::max<double>(2, static_cast<double>(record.epochs.size()));
  const auto [low, high] = range_of(losses);
  const auto marked = static_cast<double>(best);
  run["loss_chart"] = html(line_chart({.title = "Loss",
                                       .x_label = "epoch",
                                       .y_label = "cross-entropy",
                                       .x_low = 1,
                                       .x_high = last,
                                       .y_low = low,
                                       .y_high = high},
                                      losses, hints(losses), marked));
  run["accuracy_chart"] = html(line_chart(
      {.title = "Accuracy", .x_label = "epoch", .y_label = "share of right answers", .x_low = 1, .x_high = last},
      accuracies, hints(accuracies), marked));
  std::string note = fmt::format("{} of {} epochs ({}) in {} of training. ", record.epochs.size(),
                                 record.planned_epochs(), record.status(), time_text(record.training_seconds()));
  if (best > 0) note += fmt::format("The dotted line marks epoch {}, the best by validation loss. ", best);
  if (record.option("mixup") != "0")
    note += "The training values are those of augmented, mixed crops, so they can lie below the validation values.";
  run["learning_note"] = note;
}

// ---- confusion and classes

void add_confusion(json& run, const RunResults& results, size_t index) {
  const std::vector<std::string>& labels = results.card.labels;
  std::map<std::pair<int, int>, std::vector<const TrackResult*>> cells;
  for (const TrackResult& track : results.tracks) cells[{track.label, track.predicted}].push_back(&track);
  const bool has_matrix = labels.size() <= most_classes_of_matrix;
  run["has_matrix"] = has_matrix;
  run["labels"] = labels;
  const auto id_of = [index](int label, int predicted) {
    return fmt::format("cell-{}-{}-{}", index, label, predicted);
  };
  run["matrix"] = json::array();
  for (size_t i = 0; has_matrix && i < labels.size(); ++i) {
    const std::vector<int64_t>& counts = results.evaluation.confusion.counts[i];
    const auto total = static_cast<double>(std::max<int64_t>(1, std::reduce(counts.begin(), counts.end())));
    json row{{"label", labels[i]}, {"cells", json::array()}};
    for (size_t j = 0; j < labels.size(); ++j) {
      json cell{{"count", counts[j] > 0 ? json(counts[j]) : json(false)},
                {"kind", i == j ? "correct" : "confused"},
                {"share", fmt::format("{:.3f}", static_cast<double>(counts[j]) / total)},
                {"id", id_of(static_cast<int>(i), static_cast<int>(j))},
                {"truth", labels[i]},
                {"answer", labels[j]}};
      row["cells"].push_back(std::move(cell));
    }
    run["matrix"].push_back(std::move(row));
  }
  std::vector<json> panels;
  for (auto& [key, tracks] : cells) {
    const auto [label, predicted] = key;
    if (!has_matrix && label == predicted) continue;
    std::ranges::stable_sort(tracks, [predicted = predicted](const TrackResult* a, const TrackResult* b) {
      return a->probabilities[static_cast<size_t>(predicted)] > b->probabilities[static_cast<size_t>(predicted)];
    });
    json list = json::array();
    for (const TrackResult* track : tracks) {
      list.push_back(
          {{"name", track->name}, {"probability", score(track->probabilities[static_cast<size_t>(predicted)])}});
    }
    panels.push_back({{"id", id_of(label, predicted)},
                      {"truth", labels[static_cast<size_t>(label)]},
                      {"answer", labels[static_cast<size_t>(predicted)]},
                      {"count", tracks.size() == 1 ? "1 track" : fmt::format("{} tracks", tracks.size())},
                      {"tracks", std::move(list)}});
  }
  if (!has_matrix) {
    std::ranges::stable_sort(panels,
                             [](const json& a, const json& b) { return a["tracks"].size() > b["tracks"].size(); });
  }
  run["panels"] = std::move(panels);
}

void add_classes(json& run, const RunResults& results) {
  const ClassificationReport& report = results.evaluation.report;
  run["classes"] = json::array();
  double area = 0, areas = 0;
  for (size_t i = 0; i < report.labels.size(); ++i) {
    const ClassScores& scores = report.classes[i];
    const std::optional<RocCurve>& curve = results.curves[i];
    if (curve) {
      area += curve->area;
      ++areas;
    }
    const int64_t hits = results.evaluation.confusion.counts[i][i];
    run["classes"].push_back(
        {{"label", report.labels[i]},
         {"precision", score(scores.precision)},
         {"recall", score(scores.recall)},
         {"recall_share", score(scores.recall)},
         {"recall_interval", scores.support > 0 ? interval_text(wilson_accuracy(hits, scores.support)) + " %" : ""},
         {"f1", score(scores.f1)},
         {"auc", curve ? score(curve->area) : "–"},
         {"support", scores.support}});
  }
  run["macro_precision"] = score(report.macro.precision);
  run["macro_recall"] = score(report.macro.recall);
  run["macro_f1"] = score(report.macro.f1);
  run["macro_auc"] = areas > 0 ? score(area / areas) : "–";
}

// The classes that have a curve; if there are too many, those that are told apart worst.
std::vector<size_t> classes_to_draw(const std::vector<std::optional<RocCurve>>& curves) {
  std::vector<size_t> classes;
  for (size_t i = 0; i < curves.size(); ++i) {
    if (curves[i]) classes.push_back(i);
  }
  if (classes.size() > most_curves) {
    std::ranges::stable_sort(classes, {}, [&](size_t i) { return curves[i]->area; });
    classes.resize(most_curves);
  }
  return classes;
}

void add_roc(json& run, const RunResults& results) {
  const std::vector<size_t> classes = classes_to_draw(results.curves);
  std::vector<Series> series;
  for (const size_t i : classes) {
    Series one{.name = fmt::format("{} {:.3f}", results.card.labels[i], results.curves[i]->area),
               .color = static_cast<int>(i % 10),
               .dashed = i >= 10};
    for (const RocPoint& point : results.curves[i]->points)
      one.points.push_back({point.false_positive_rate, point.true_positive_rate});
    series.push_back(std::move(one));
  }
  const bool is_cut = std::ranges::count_if(results.curves, &std::optional<RocCurve>::has_value) > std::ssize(classes);
  const std::string title = is_cut ? fmt::format("ROC of the {} classes with the smallest AUC", most_curves)
                                   : "ROC of each class, with its AUC";
  run["roc_chart"] = html(line_chart(
      {.title = title, .x_label = "false positive rate", .y_label = "true positive rate", .diagonal = true}, series));
}

void add_calibration(json& run, const RunResults& results) {
  const Calibration& calibration = results.evaluation.calibration;
  run["reliability_chart"] = html(reliability_chart(calibration.bins));
  FactList facts;
  facts.add("ECE", fmt::format("{:.3f} on these tracks, {} bins", calibration.ece_after, calibration.bins.size()));
  if (results.card.temperature) {
    facts.add("ECE without temperature", score(calibration.ece_before));
    facts.add("temperature", fmt::format("{:.3f}, fitted on the validation tracks", calibration.temperature));
  } else {
    facts.add("temperature", "none: the run was not calibrated");
  }
  double confidence = 0;
  for (const TrackResult& track : results.tracks) {
    confidence += track.probabilities[static_cast<size_t>(track.predicted)];
  }
  confidence /= static_cast<double>(results.tracks.size());
  const Accuracy& accuracy = results.evaluation.track_accuracy;
  facts.add("mean probability", score(confidence));
  facts.add("accuracy", score(accuracy.value));
  facts.add("the model is",
            confidence > accuracy.high ? "overconfident: the mean probability is above the interval of the accuracy"
            : confidence < accuracy.low
                ? "underconfident: the mean probability is below the interval of the accuracy"
                : "neither over- nor underconfident: the mean probability lies in the interval of the accuracy");
  run["calibration"] = facts.take();
}

// ---- hardest tracks

json card_of(const ExplainedTrack& explained, const RunResults& results, const std::filesystem::path& folder) {
  const TrackResult& track = results.tracks[explained.track];
  const auto probability = [&](int label) { return score(track.probabilities[static_cast<size_t>(label)]); };
  const auto name = [&](int label) { return results.card.labels[static_cast<size_t>(label)]; };
  constexpr double left = 40, width = 580, top = 4, height = 160;
  json times = json::array(), frequencies = json::array();
  for (const double tick : round_ticks(0, explained.seconds, 6)) {
    times.push_back(
        {{"x", fmt::format("{:.1f}", left + width * tick / explained.seconds)}, {"text", tick_label(tick) + " s"}});
  }
  for (const auto& [hertz, position] : frequency_ticks(results.card.mel, height, 24)) {
    frequencies.push_back({{"y", fmt::format("{:.1f}", top + height - position)},
                           {"text", hertz >= 1000 ? tick_label(hertz / 1000) + "k" : tick_label(hertz)}});
  }
  return {{"name", track.name},
          {"group", track.group.empty() ? json(false) : json(track.group)},
          {"wrong", !track.is_correct()},
          {"label", name(track.label)},
          {"label_probability", probability(track.label)},
          {"predicted", name(track.predicted)},
          {"predicted_probability", probability(track.predicted)},
          {"spectrogram", html(base64(explained.spectrogram))},
          {"for_predicted", html(base64(explained.for_predicted))},
          {"for_label", html(base64(explained.for_label.empty() ? explained.for_predicted : explained.for_label))},
          {"times", std::move(times)},
          {"frequencies", std::move(frequencies)},
          {"url", relative_url(track.path, folder)}};
}

void add_sides(json& run, const RunResults& results) {
  run["sides"] = json::array();
  const auto& [train, validation, test] = results.split;
  run["has_split"] = !train.empty();
  if (train.empty()) return;
  int64_t most = 1;
  for (size_t i = 0; i < train.size(); ++i) most = std::max(most, train[i] + validation[i] + test[i]);
  const auto width = [most](int64_t count) {
    return fmt::format("{:.1f}", 100.0 * static_cast<double>(count) / static_cast<double>(most));
  };
  for (size_t i = 0; i < train.size(); ++i) {
    run["sides"].push_back({{"label", results.card.labels[i]},
                            {"train", train[i]},
                            {"validation", validation[i]},
                            {"test", test[i]},
                            {"train_width", width(train[i])},
                            {"validation_width", width(validation[i])},
                            {"test_width", width(test[i])}});
  }
}

// ---- settings

void add_settings(json& run, const RunResults& results) {
  const std::string folder = results.record.folder.string();
  const bool is_default = results.checkpoint.filename() == "last.safetensors";
  const std::string run_argument = shell_quoted(is_default ? folder : results.checkpoint.string());
  json commands = json::array();
  if (!results.record.options.empty()) {
    commands.push_back(fmt::format("melgrad train --config {} --out NEW_RUN", shell_quoted(folder + "/config.toml")));
  }
  commands.push_back(fmt::format("melgrad evaluate {} {}", run_argument, shell_quoted(results.source.data.string())));
  commands.push_back(fmt::format("melgrad report {} --out report.html", run_argument));
  run["commands"] = std::move(commands);
  run["options"] = json::array();
  for (const auto& [key, value] : results.record.options) run["options"].push_back({{"key", key}, {"value", value}});
}

// Empty unless both runs were tested on the same tracks of one data set.
std::optional<Accuracy> difference_to(const RunResults& run, const RunResults& first) {
  if (run.source.data != first.source.data) return std::nullopt;
  return difference_of(run.tracks, first.tracks);
}

}  // namespace

json run_section(const std::vector<RunResults>& runs, size_t index, const std::filesystem::path& folder) {
  const RunResults& results = runs[index];
  const Evaluation& evaluation = results.evaluation;
  const std::optional<Accuracy> difference = index > 0 ? difference_to(results, runs[0]) : std::nullopt;
  json run{{"name", results.name},
           {"model", results.card.model},
           {"several", runs.size() > 1},
           {"tested", results.tracks.size()},
           {"accuracy", percent(evaluation.track_accuracy.value)},
           {"interval", interval_text(evaluation.track_accuracy)},
           {"segment_accuracy", percent(evaluation.segment_accuracy.value)},
           {"difference", index == 0   ? ""
                          : difference ? signed_points(*difference)
                                       : "other tracks"},
           {"parameters", results.parameters},
           {"training_time", time_text(results.record.training_seconds())},
           {"failures", results.failures},
           {"architecture", html(results.architecture)},
           {"hardest", json::array()}};
  add_learning(run, results.record);
  add_confusion(run, results, index);
  add_classes(run, results);
  add_roc(run, results);
  add_calibration(run, results);
  for (const ExplainedTrack& explained : results.hardest) run["hardest"].push_back(card_of(explained, results, folder));
  add_sides(run, results);
  add_settings(run, results);
  return run;
}

}  // namespace melgrad
