#include "framework/dataset/cross_validation.h"

#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "framework/dataset/group_scores.h"
#include "framework/io/atomic_file.h"
#include "framework/io/csv.h"

namespace melgrad {
namespace {

namespace fs = std::filesystem;

constexpr const char *report_file = "report.json", *predictions_file = "predictions.csv";

nlohmann::json read_json(const fs::path& file) {
  try {
    return nlohmann::json::parse(read_file(file));
  } catch (const nlohmann::json::exception& error) {
    fail("{} is not valid JSON: {}; delete it to evaluate the run again", file.string(), error.what());
  }
}

// The number after `prefix` at the beginning of `text`, which it removes; nothing if there is none.
template <class Number>
std::optional<Number> take_number(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return std::nullopt;
  Number value{};
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data() + prefix.size(), end, value);
  if (error != std::errc()) return std::nullopt;
  text = {rest, static_cast<size_t>(end - rest)};
  return value;
}

std::optional<FoldAndSeed> parse_run_name(std::string_view name) {
  const auto fold = take_number<int>(name, "fold");
  const auto seed = fold ? take_number<uint64_t>(name, "_seed") : std::nullopt;
  if (!seed || !name.empty()) return std::nullopt;
  return FoldAndSeed{.fold = *fold, .seed = *seed};
}

// Scores of the tracks of a data set.
class ScoresOfTracks {
 public:
  explicit ScoresOfTracks(const Dataset& dataset) : source_(dataset.source) {
    for (const Track& track : dataset.tracks) group_[track.name] = track.group;
  }
  void add(const std::string& track, int64_t correct) {
    const auto found = group_.find(track);
    if (found == group_.end()) fail("{} has no track {}, which a run evaluated", source_.string(), track);
    scores_.add(track, found->second, {.correct = correct, .total = 1});
  }
  Accuracy bootstrap() const { return scores_.bootstrap(); }

 private:
  fs::path source_;
  std::map<std::string, std::string> group_;
  GroupScores scores_;
};

template <class Key>
std::map<Key, MeanAndDeviation> summaries_of(const std::map<Key, std::vector<double>>& values) {
  std::map<Key, MeanAndDeviation> result;
  for (const auto& [key, list] : values) result[key] = mean_and_deviation(list);
  return result;
}

template <class Key>
MeanAndDeviation of_means(const std::map<Key, MeanAndDeviation>& summaries) {
  std::vector<double> means;
  for (const auto& [key, summary] : summaries) means.push_back(summary.mean);
  return mean_and_deviation(means);
}

}  // namespace

std::string FoldAndSeed::name() const { return fmt::format("fold{}_seed{}", fold, seed); }

bool holds_evaluation(const fs::path& evaluation) {
  return fs::exists(evaluation / report_file) && fs::exists(evaluation / predictions_file);
}

FoldResult read_fold_result(const fs::path& evaluation) {
  const nlohmann::json report = read_json(evaluation / report_file);
  FoldResult result;
  for (const auto& [key, value] :
       {std::pair{"track_accuracy", &result.track_accuracy}, std::pair{"segment_accuracy", &result.segment_accuracy},
        std::pair{"macro_f1", &result.macro_f1}}) {
    if (!report.contains(key) || !report.at(key).is_number()) {
      fail("{} has no number {}; delete it to evaluate the run again", (evaluation / report_file).string(), key);
    }
    *value = report.at(key).get<double>();
  }
  const std::string file = (evaluation / predictions_file).string();
  const std::vector<CsvRow> rows = parse_csv(read_file(file), file);
  for (size_t i = 1; i < rows.size(); ++i) {
    if (rows[i].fields.size() < 3) {
      fail("{}:{}: a line needs path, label and predicted; delete the file to evaluate the run again", file,
           rows[i].line);
    }
    result.correct[rows[i].fields[0]] = rows[i].fields[1] == rows[i].fields[2];
  }
  return result;
}

FoldResults read_fold_results(const fs::path& folder, const std::string& side) {
  FoldResults results;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::optional<FoldAndSeed> run = parse_run_name(entry.path().filename().string());
    if (run && holds_evaluation(entry.path() / side)) results[*run] = read_fold_result(entry.path() / side);
  }
  if (error) fail("cannot read {}: {}; give the --out folder of a cross-validation", folder.string(), error.message());
  if (results.empty()) {
    fail("{} has no run that was evaluated on its {} tracks; give the --out folder of a cross-validation",
         folder.string(), side);
  }
  return results;
}

MeanAndDeviation mean_and_deviation(const std::vector<double>& values) {
  MELGRAD_CHECK(!values.empty(), "no values to average");
  const auto n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return {.mean = mean, .deviation = values.size() > 1 ? std::sqrt(squares / (n - 1)) : 0};
}

CrossValidationSummary summarize(const FoldResults& results, const Dataset& dataset) {
  ScoresOfTracks scores(dataset);
  std::map<int, std::vector<double>> of_fold;
  std::map<uint64_t, std::vector<double>> of_seed;
  std::vector<double> segments, f1;
  for (const auto& [run, result] : results) {
    for (const auto& [track, correct] : result.correct) scores.add(track, correct ? 1 : 0);
    of_fold[run.fold].push_back(result.track_accuracy);
    of_seed[run.seed].push_back(result.track_accuracy);
    segments.push_back(result.segment_accuracy);
    f1.push_back(result.macro_f1);
  }
  CrossValidationSummary summary{.track_accuracy = scores.bootstrap(),
                                 .by_fold = summaries_of(of_fold),
                                 .by_seed = summaries_of(of_seed),
                                 .over_folds = {},
                                 .over_seeds = {},
                                 .segment_accuracy = mean_and_deviation(segments),
                                 .macro_f1 = mean_and_deviation(f1)};
  summary.over_folds = of_means(summary.by_fold);
  summary.over_seeds = of_means(summary.by_seed);
  return summary;
}

PairedComparison compare(const FoldResults& first, const FoldResults& second, const Dataset& dataset) {
  ScoresOfTracks scores(dataset);
  PairedComparison comparison;
  for (const auto& [run, a] : first) {
    const auto found = second.find(run);
    if (found == second.end()) {
      ++comparison.only_first;
      continue;
    }
    const FoldResult& b = found->second;
    int64_t difference = 0;
    for (const auto& [track, correct] : a.correct) {
      const auto other = b.correct.find(track);
      if (other == b.correct.end()) {
        fail("{}: only one of the recipes evaluated {}; compare runs with the same data, folds and seeds", run.name(),
             track);
      }
      const int64_t gain = (correct ? 1 : 0) - (other->second ? 1 : 0);
      scores.add(track, gain);
      difference += gain;
    }
    if (a.correct.size() != b.correct.size()) {
      fail("{}: one of the recipes evaluated {} tracks, the other one {}; compare runs with the same data and folds",
           run.name(), a.correct.size(), b.correct.size());
    }
    comparison.by_run[run] = static_cast<double>(difference) / static_cast<double>(a.correct.size());
  }
  comparison.only_second = std::ssize(second) - std::ssize(comparison.by_run);
  if (comparison.by_run.empty()) fail("the recipes have no fold and seed in common; run the same folds and seeds");
  comparison.difference = scores.bootstrap();
  return comparison;
}

}  // namespace melgrad
