#include "apps/report/answer.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "apps/report/template_data.h"

namespace melgrad {
namespace {

using nlohmann::json;

std::string of_side(const std::string& side, size_t tracks) {
  return fmt::format("{} {}tracks", tracks, side == "all" ? "" : side + " ");
}

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
                      percent(run.baselines[0].accuracy.value), signed_points(gain));
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
std::map<std::pair<std::string, std::string>, std::vector<const RunResults*>> runs_of_one_model(
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
  for (const auto& [key, folds] : runs_of_one_model(runs)) {
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
                    "track accuracy, which takes the tracks as independent, is {} %.",
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
  for (const auto& [key, group] : runs_of_one_model(runs)) {
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
      "Bootstrap intervals draw whole groups (artists) with replacement, 10,000 times; a track without a group is "
      "drawn alone.");
  if (std::ranges::any_of(runs, [](const RunResults& run) { return !run.baselines.empty(); })) {
    notes.push_back(
        "The linear baseline is logistic regression on the mean and the standard deviation of each mel bin over a "
        "track. It is fitted to the training tracks of the run.");
  }
  return notes;
}

}  // namespace

void add_answer(json& page, const std::vector<RunResults>& runs) {
  page["verdicts"] = json::array();
  for (const RunResults& run : runs) {
    page["verdicts"].push_back(
        {{"share", percent(run.evaluation.track_accuracy.value)}, {"text", verdict(run, runs.size() > 1)}});
  }
  page["scale"] = scale_rows(runs);
  page["notes"] = notes_of(runs);
}

}  // namespace melgrad
