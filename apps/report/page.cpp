#include "apps/report/page.h"

#include <report_page_files.h>

#include <algorithm>
#include <cmath>
#include <kainjow/mustache.hpp>
#include <map>
#include <numeric>
#include <set>

#include "apps/report/chart.h"
#include "apps/version.h"
#include "framework/audio/spectrogram_picture.h"
#include "framework/io/html.h"
#include "framework/io/ticks.h"
#include "framework/terminal/text.h"

namespace melgrad {
namespace {

using nlohmann::json;

// Matrices of more classes would not be legible.
constexpr size_t most_classes_of_matrix = 30, most_curves = 10, most_findings = 50;

// ---- the template's data

// A text that is put into the page as it is. The template has all other texts escaped.
json html(std::string text) { return {{"html", std::move(text)}}; }

kainjow::mustache::data to_mustache(const json& value) {
  using kainjow::mustache::data;
  if (value.is_object() && value.size() == 1 && value.contains("html")) return value["html"].get<std::string>();
  if (value.is_object()) {
    data object{data::type::object};
    for (const auto& [key, member] : value.items()) object.set(key, to_mustache(member));
    return object;
  }
  if (value.is_array()) {
    data list{data::type::list};
    for (const json& element : value) list.push_back(to_mustache(element));
    return list;
  }
  if (value.is_boolean()) return value.get<bool>() ? data::type::bool_true : data::type::bool_false;
  return one_line(value.is_string() ? value.get<std::string>() : value.dump());
}

// ---- numbers as text

std::string percent(double share) { return fmt::format("{:.1f} %", 100 * share); }
std::string interval_text(const Accuracy& accuracy) {
  return fmt::format("{:.1f} to {:.1f}", 100 * accuracy.low, 100 * accuracy.high);
}
std::string score(double value) { return fmt::format("{:.3f}", value); }
// A difference of two shares, with a minus sign.
std::string signed_points(double difference) {
  const std::string size = fmt::format("{:.1f}", std::abs(100 * difference));
  return size == "0.0" ? size : (difference < 0 ? "−" : "+") + size;
}
std::string points(const Accuracy& difference) {
  return fmt::format("{} points ({} to {})", signed_points(difference.value), signed_points(difference.low),
                     signed_points(difference.high));
}
std::string time_text(double seconds) {
  if (seconds < 60) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<int64_t>(seconds + 0.5);
  return whole < 3600 ? fmt::format("{} min {} s", whole / 60, whole % 60)
                      : fmt::format("{} h {} min", whole / 3600, whole / 60 % 60);
}
std::string of_side(const std::string& side, size_t tracks) {
  return fmt::format("{} {}tracks", tracks, side == "all" ? "" : side + " ");
}

// ---- answer

std::string name_and_model(const RunResults& run) {
  return run.name == run.card.model ? run.name : fmt::format("{} ({})", run.name, run.card.model);
}

std::string verdict(const RunResults& run, bool several) {
  const Accuracy& accuracy = run.evaluation.track_accuracy;
  std::string text =
      fmt::format("of {} got the right answer{} (95 % interval {} %).", of_side(run.side, run.tracks.size()),
                  several ? " from " + name_and_model(run) : "", interval_text(accuracy));
  if (run.baselines.empty()) return text;
  const Accuracy& gain = run.baselines[0].gain;
  text += fmt::format(" A linear model of the average spectrum reaches {}: the difference is {}",
                      percent(run.baselines[0].accuracy.value), points(gain));
  return text + (gain.low > 0    ? ", so the network is better."
                 : gain.high < 0 ? ", so the network is worse."
                                 : ", so these tracks do not show which one is better.");
}

json scale_row(const char* kind, const std::string& label, const Accuracy& accuracy) {
  const auto position = [](double share) { return fmt::format("{:.2f}", 100 * share); };
  return {{"kind", kind},
          {"label", label},
          {"low", position(accuracy.low)},
          {"width", position(accuracy.high - accuracy.low)},
          {"at", position(accuracy.value)},
          {"value", percent(accuracy.value)},
          {"interval", interval_text(accuracy)}};
}

// Runs of one model on one data set: folds or seeds.
std::map<std::pair<std::string, std::string>, std::vector<const RunResults*>> groups_of(
    const std::vector<RunResults>& runs) {
  std::map<std::pair<std::string, std::string>, std::vector<const RunResults*>> groups;
  for (const RunResults& run : runs) groups[{run.card.model, run.source.data.string()}].push_back(&run);
  std::erase_if(groups, [](const auto& group) { return group.second.size() < 2; });
  return groups;
}

// The accuracy over the tracks of all folds; empty if two runs have a track in common.
std::optional<Accuracy> pooled_accuracy(const std::vector<const RunResults*>& folds) {
  std::vector<TrackResult> tracks;
  std::set<std::string> names;
  for (const RunResults* run : folds) {
    for (const TrackResult& track : run->tracks) {
      if (!names.insert(track.name).second) return std::nullopt;
      tracks.push_back(track);
    }
  }
  return accuracy_of(tracks);
}

json scale_rows(const std::vector<RunResults>& runs) {
  json rows = json::array();
  const bool several = runs.size() > 1;
  for (const RunResults& run : runs) {
    rows.push_back(scale_row("run", several ? name_and_model(run) : run.card.model, run.evaluation.track_accuracy));
  }
  for (const auto& [key, folds] : groups_of(runs)) {
    if (const std::optional<Accuracy> pooled = pooled_accuracy(folds)) {
      rows.push_back(scale_row("pooled", fmt::format("{}, {} folds together", key.first, folds.size()), *pooled));
    }
  }
  // Runs on the same tracks have the same baselines.
  std::set<std::string> known;
  for (const RunResults& run : runs) {
    for (const Baseline& baseline : run.baselines) {
      const bool same_for_all = std::ranges::all_of(runs, [&](const RunResults& other) {
        return std::ranges::any_of(other.baselines, [&](const Baseline& theirs) {
          return theirs.description == baseline.description && theirs.accuracy.value == baseline.accuracy.value;
        });
      });
      const std::string label =
          same_for_all ? baseline.description : fmt::format("{} for {}", baseline.description, run.name);
      if (known.insert(label).second) rows.push_back(scale_row("baseline", label, baseline.accuracy));
    }
  }
  return rows;
}

Accuracy wilson_of(const RunResults& run) {
  return wilson_accuracy(std::ranges::count_if(run.tracks, &TrackResult::is_correct), std::ssize(run.tracks));
}

json notes_of(const std::vector<RunResults>& runs) {
  json notes = json::array();
  for (const RunResults& run : runs) {
    const std::string who = runs.size() > 1 ? run.name + ": " : "";
    const auto [value, low, high] = run.evaluation.segment_accuracy;
    notes.push_back(
        fmt::format("{}Single crops of a track are right in {} of cases ({:.1f} to {:.1f} %). Wilson's interval of the "
                    "track accuracy is {} %.",
                    who, percent(value), 100 * low, 100 * high, interval_text(wilson_of(run))));
    if (run.side != "test") {
      notes.push_back(who + (run.side == "validation"
                                 ? "The run has no test tracks; the choice of the epoch or of options by these "
                                   "validation tracks makes the figure optimistic."
                                 : "The tracks may contain training tracks; then the figure is far too high."));
    }
    if (!run.failures.empty())
      notes.push_back(fmt::format("{}{} files could not be read; see Data.", who, run.failures.size()));
  }
  for (const auto& [key, group] : groups_of(runs)) {
    double sum = 0, low = 1, high = 0;
    for (const RunResults* run : group) {
      const double accuracy = run->evaluation.track_accuracy.value;
      sum += accuracy;
      low = std::min(low, accuracy);
      high = std::max(high, accuracy);
    }
    notes.push_back(fmt::format("{}: mean of {} runs {}, from {} to {}.", key.first, group.size(),
                                percent(sum / static_cast<double>(group.size())), percent(low), percent(high)));
  }
  notes.push_back(
      "Intervals draw whole groups (artists) with replacement (bootstrap, 10,000 times). The linear baseline is "
      "logistic regression on "
      "the mean and "
      "deviation of each mel bin, trained on the same tracks.");
  return notes;
}

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
    const auto hits = static_cast<int64_t>(std::llround(scores.recall * static_cast<double>(scores.support)));
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

void add_roc(json& run, const RunResults& results) {
  std::vector<Series> series;
  for (size_t i = 0; i < results.curves.size(); ++i) {
    if (!results.curves[i]) continue;
    Series one{.name = fmt::format("{} {:.3f}", results.card.labels[i], results.curves[i]->area),
               .color = static_cast<int>(i % 10),
               .dashed = i >= 10};
    for (const RocPoint& point : results.curves[i]->points)
      one.points.push_back({point.false_positive_rate, point.true_positive_rate});
    series.push_back(std::move(one));
  }
  std::string title = "ROC of each class, with its AUC";
  if (series.size() > most_curves) {
    // The classes that are told apart worst are the interesting ones.
    std::ranges::stable_sort(series, {},
                             [](const Series& one) { return std::stod(one.name.substr(one.name.rfind(' '))); });
    series.resize(most_curves);
    title = fmt::format("ROC of the {} classes with the smallest AUC", most_curves);
  }
  run["roc_chart"] = html(line_chart(
      {.title = title, .x_label = "false positive rate", .y_label = "true positive rate", .diagonal = true}, series));
}

void add_calibration(json& run, const RunResults& results) {
  const Calibration& calibration = results.evaluation.calibration;
  run["reliability_chart"] = html(reliability_chart(calibration.bins));
  json facts = json::array();
  const auto fact = [&facts](const char* key, const std::string& value) {
    facts.push_back({{"key", key}, {"value", value}});
  };
  fact("ECE", fmt::format("{:.3f} on these tracks, {} bins", calibration.ece_after, calibration.bins.size()));
  if (results.card.temperature) {
    fact("ECE without temperature", score(calibration.ece_before));
    fact("temperature", fmt::format("{:.3f}, fitted on the validation tracks", calibration.temperature));
  } else {
    fact("temperature", "none: the run was not calibrated");
  }
  double confidence = 0;
  for (const TrackResult& track : results.tracks) {
    confidence += track.probabilities[static_cast<size_t>(track.predicted)];
  }
  confidence /= static_cast<double>(results.tracks.size());
  const Accuracy& accuracy = results.evaluation.track_accuracy;
  fact("mean probability", score(confidence));
  fact("accuracy", score(accuracy.value));
  fact("the model is",
       confidence > accuracy.high ? "overconfident: the mean probability is above the interval of the accuracy"
       : confidence < accuracy.low
           ? "underconfident: the mean probability is below the interval of the accuracy"
           : "neither over- nor underconfident: the mean probability lies in the interval of the accuracy");
  run["calibration"] = std::move(facts);
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

// ---- data

json data_section(const CheckedData& data) {
  json facts = json::array();
  const auto fact = [&facts](const char* key, const std::string& value) {
    facts.push_back({{"key", key}, {"value", value}});
  };
  fact("tracks", fmt::format("{} in {} classes", data.tracks, data.labels));
  if (data.groups > 0)
    fact("groups", fmt::format("{} (artists): the tracks of one are on the same side of the split", data.groups));
  json section{{"path", data.path}, {"checked", data.checkup.has_value()}, {"findings", json::array()}};
  if (data.checkup) {
    double seconds = 0;
    for (const AudioSurvey& survey : data.checkup->surveys) seconds += survey.seconds;
    fact("length",
         fmt::format("{} in all, median {:.1f} s", time_text(seconds), median_seconds(data.checkup->surveys)));
    std::vector<std::string> rates;
    for (const auto& [rate, tracks] : tracks_of_rate(data.checkup->surveys))
      rates.push_back(fmt::format("{} Hz: {}", rate, tracks));
    fact("sample rates", fmt::format("{}", fmt::join(rates, ", ")));
    for (const FindingKind& kind : finding_kinds()) {
      json lines = json::array();
      size_t found = 0;
      for (const Finding& finding : data.checkup->findings) {
        if (finding.kind == kind.name && ++found <= most_findings) lines.push_back(finding.detail);
      }
      if (found == 0) continue;
      if (found > most_findings)
        lines.push_back(fmt::format("and {} more: melgrad check --json lists all", found - most_findings));
      section["findings"].push_back({{"title", std::string(kind.title)},
                                     {"remedy", std::string(kind.remedy)},
                                     {"count", found},
                                     {"lines", std::move(lines)}});
    }
  }
  for (const std::string& warning : data.warnings) fact("left out", warning);
  section["facts"] = std::move(facts);
  return section;
}

void add_sides(json& run, const RunResults& results) {
  run["sides"] = json::array();
  const auto& [train, validation, test] = results.split;
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

std::string title_of(const std::vector<RunResults>& runs) {
  if (runs.size() == 1) return runs[0].name;
  std::vector<std::string> names;
  for (const RunResults& run : runs) names.push_back(run.name);
  return names.size() <= 3 ? fmt::format("{}", fmt::join(names, " · ")) : fmt::format("{} runs", names.size());
}

std::string data_name(const std::string& path) {
  const std::filesystem::path normal = std::filesystem::path(path).lexically_normal();
  return (normal.has_filename() ? normal : normal.parent_path()).filename().string();
}

std::string subtitle_of(const std::vector<RunResults>& runs) {
  std::set<std::string> models, data;
  for (const RunResults& run : runs) {
    models.insert(run.card.model);
    data.insert(data_name(run.source.data.string()));
  }
  return fmt::format("{} on {}, {} classes", fmt::join(models, ", "), fmt::join(data, ", "),
                     runs[0].card.labels.size());
}

// Empty unless both runs were tested on the same tracks of one data set.
std::optional<Accuracy> difference_to(const RunResults& run, const RunResults& first) {
  if (run.source.data != first.source.data) return std::nullopt;
  return difference_of(run.tracks, first.tracks);
}

json run_section(const RunResults& results, size_t index, const std::vector<RunResults>& runs,
                 const std::filesystem::path& folder) {
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
                          : difference ? points(*difference)
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

}  // namespace

std::string report_page(const std::vector<RunResults>& runs, const std::vector<CheckedData>& data,
                        const std::filesystem::path& folder) {
  json page{{"title", title_of(runs)},
            {"subtitle", subtitle_of(runs)},
            {"style", html(report_style)},
            {"script", html(report_script)},
            {"scale", scale_rows(runs)},
            {"notes", notes_of(runs)},
            {"has_comparison", runs.size() > 1},
            {"made_by", "Made by " + version_line() + "."},
            {"verdicts", json::array()},
            {"runs", json::array()},
            {"data", json::array()}};
  for (size_t i = 0; i < runs.size(); ++i) {
    page["verdicts"].push_back(
        {{"share", percent(runs[i].evaluation.track_accuracy.value)}, {"text", verdict(runs[i], runs.size() > 1)}});
    page["runs"].push_back(run_section(runs[i], i, runs, folder));
  }
  for (const CheckedData& one : data) page["data"].push_back(data_section(one));
  kainjow::mustache::mustache page_template{report_template};
  MELGRAD_CHECK(page_template.is_valid(), "the template of the report: {}", page_template.error_message());
  return page_template.render(to_mustache(page));
}

}  // namespace melgrad
