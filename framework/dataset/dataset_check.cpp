#include "framework/dataset/dataset_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "framework/dataset/gtzan_faults.h"
#include "framework/dataset/stray_files.h"

namespace melgrad {
namespace {

constexpr FindingKind kinds[] = {
    {"unreadable", "cannot be read", "fetch them again or remove them"},
    {"empty", "hold no samples", "fetch them again or remove them"},
    {"non_finite", "have samples that are not finite numbers", "repair or remove them"},
    {"truncated", "cut off, or read only in part", "fetch them again or convert them; melgrad uses what it reads"},
    {"silent", "silent after mixing to mono", "remove them, or replace them by one of their channels"},
    {"clipped", "clipped", "replace them by better copies if you can"},
    {"sample_rate", "a different sample rate than most",
     "resample all files to one rate if the rate depends on the label, because the model could learn the rate instead"},
    {"short", "too short", "remove them, or allow them with --min-seconds"},
    {"long", "too long", "cut them, or allow them with --max-seconds"},
    {"stray_file", "metadata files of macOS, not music", "remove them; melgrad ignores them"},
    {"left_out", "left out of the data set", "see each line"},
    {"identical", "files with the same bytes", "keep one of each"},
    {"same_recording", "one recording in two files", "keep one of each, or give both the same group in a manifest.csv"},
    {"known_fault", "known faults of GTZAN", "train with --split-files on the fault-filtered lists"},
    {"lone_label", "labels with one file", "add tracks, or remove the label"},
    {"only_label", "only one label", "add another: a classifier needs at least two"},
    {"imbalance", "unbalanced classes",
     "add tracks to the small ones, and consider the macro F1 as well as the accuracy"},
    {"group_across_labels", "groups with several labels", "check that the labels are right"}};

constexpr float silence_peak = 1e-3f;   // -60 dB
constexpr double clipped_share = 1e-3;  // of the samples
constexpr double worst_balance = 3;     // largest class over the smallest
constexpr double short_of_median = 0.25, long_of_median = 4;

class Check {
 public:
  Check(const Dataset& dataset, std::span<const AudioSurvey> surveys) : dataset_(dataset), surveys_(surveys) {}

  void check_audio(const CheckLimits& limits) {
    const double median = median_seconds(surveys_);
    const double shortest = limits.shortest_seconds > 0 ? limits.shortest_seconds : short_of_median * median;
    const double longest = limits.longest_seconds > 0 ? limits.longest_seconds : long_of_median * median;
    const int usual_rate = most_common_rate();
    for (size_t i = 0; i < surveys_.size(); ++i) {
      const AudioSurvey& survey = surveys_[i];
      if (survey.state != AudioState::readable) {
        add(kind_of(survey.state), {i}, survey.error);
        continue;
      }
      const std::string& name = dataset_.tracks[i].name;
      if (!survey.loss.empty()) add("truncated", {i}, survey.loss);
      if (survey.mono_peak < silence_peak) add("silent", {i}, name + ": " + silence(survey));
      if (survey.clipped_share > clipped_share) {
        add("clipped", {i}, fmt::format("{}: {:.1f} % of its samples", name, 100 * survey.clipped_share));
      }
      if (survey.sample_rate != usual_rate) {
        add("sample_rate", {i}, fmt::format("{}: {} Hz, most have {} Hz", name, survey.sample_rate, usual_rate));
      }
      if (survey.seconds < shortest) {
        add("short", {i}, fmt::format("{}: {:.2f} s, less than {:.2f} s", name, survey.seconds, shortest));
      }
      if (survey.seconds > longest) {
        add("long", {i}, fmt::format("{}: {:.1f} s, more than {:.1f} s", name, survey.seconds, longest));
      }
    }
  }

  void check_folder() {
    for (std::string& file : find_stray_files(dataset_.root)) findings_.push_back({"stray_file", {file}, file});
    for (const std::string& warning : dataset_.warnings) findings_.push_back({"left_out", {}, warning});
  }

  void check_duplicates(std::span<const TrackPrint> prints) {
    for (const Duplicate& pair : find_duplicates(prints)) {
      const Track &first = dataset_.tracks[pair.first], &second = dataset_.tracks[pair.second];
      std::string detail = fmt::format("{} and {}", first.name, second.name);
      if (!pair.identical) detail += ": " + likeness(pair);
      if (first.label != second.label) {
        detail += fmt::format("; their labels differ: {} and {}", label(first), label(second));
      }
      add(pair.identical ? "identical" : "same_recording", {pair.first, pair.second}, detail);
    }
  }

  void check_known_faults() {
    for (const KnownFault& known : known_gtzan_faults(dataset_)) {
      add("known_fault", {known.track}, fmt::format("{}: {}", dataset_.tracks[known.track].name, known.fault));
    }
  }

  void check_labels() {
    const std::vector<LabelBalance> balance = label_balance(dataset_, surveys_);
    for (size_t i = 0; i < dataset_.tracks.size(); ++i) {
      const LabelBalance& own = balance[static_cast<size_t>(dataset_.tracks[i].label)];
      if (own.tracks == 1) add("lone_label", {i}, fmt::format("{}: only {}", own.label, dataset_.tracks[i].name));
    }
    if (balance.size() == 1) {
      findings_.push_back(
          {"only_label", {}, fmt::format("all {} tracks have the label '{}'", balance[0].tracks, balance[0].label)});
    }
    const auto [least, most] = std::ranges::minmax_element(balance, {}, &LabelBalance::tracks);
    if (static_cast<double>(most->tracks) >= worst_balance * static_cast<double>(least->tracks)) {
      findings_.push_back(
          {"imbalance",
           {},
           fmt::format("{} has {} tracks, {} has {}", most->label, most->tracks, least->label, least->tracks)});
    }
  }

  void check_groups() {
    struct Group {
      std::set<std::string> labels;
      std::vector<size_t> members;
    };
    std::map<std::string, Group> groups;
    for (size_t i = 0; i < dataset_.tracks.size(); ++i) {
      const Track& track = dataset_.tracks[i];
      if (track.group.empty()) continue;
      groups[track.group].labels.insert(label(track));
      groups[track.group].members.push_back(i);
    }
    for (const auto& [name, group] : groups) {
      if (group.labels.size() < 2) continue;
      add("group_across_labels", group.members, fmt::format("{}: {}", name, fmt::join(group.labels, ", ")));
    }
  }

  std::vector<Finding> take() {
    const auto place = [](const Finding& finding) {
      return std::ranges::find(kinds, finding.kind, &FindingKind::name) - std::begin(kinds);
    };
    std::ranges::stable_sort(findings_, {}, place);
    return std::move(findings_);
  }

 private:
  static std::string_view kind_of(AudioState state) {
    if (state == AudioState::empty) return "empty";
    return state == AudioState::non_finite ? "non_finite" : "unreadable";
  }

  const std::string& label(const Track& track) const { return dataset_.labels[static_cast<size_t>(track.label)]; }

  void add(std::string_view kind, const std::vector<size_t>& tracks, std::string detail) {
    Finding finding{.kind = kind, .detail = std::move(detail)};
    for (const size_t track : tracks) finding.files.push_back(dataset_.tracks[track].name);
    findings_.push_back(std::move(finding));
  }

  static std::string silence(const AudioSurvey& survey) {
    if (survey.peak < silence_peak) return fmt::format("its peak is {:.2g} of full scale", survey.peak);
    return fmt::format("its channels cancel each other: the peak is {:.2g}, after mixing to mono {:.2g}", survey.peak,
                       survey.mono_peak);
  }

  int most_common_rate() const {
    std::map<int, int64_t> count_of_rate;
    for (const AudioSurvey& survey : surveys_) {
      if (survey.state == AudioState::readable) ++count_of_rate[survey.sample_rate];
    }
    if (count_of_rate.empty()) return 0;
    return std::ranges::max_element(count_of_rate, {}, [](const auto& entry) { return entry.second; })->first;
  }

  const Dataset& dataset_;
  std::span<const AudioSurvey> surveys_;
  std::vector<Finding> findings_;
};

}  // namespace

std::span<const FindingKind> finding_kinds() { return kinds; }

std::vector<Finding> check_dataset(const Dataset& dataset, std::span<const AudioSurvey> surveys,
                                   std::span<const TrackPrint> prints, const CheckLimits& limits) {
  Check check(dataset, surveys);
  check.check_audio(limits);
  check.check_folder();
  check.check_duplicates(prints);
  check.check_known_faults();
  check.check_labels();
  check.check_groups();
  return check.take();
}

std::vector<LabelBalance> label_balance(const Dataset& dataset, std::span<const AudioSurvey> surveys) {
  std::vector<LabelBalance> balance;
  for (const std::string& label : dataset.labels) balance.push_back({.label = label});
  for (size_t i = 0; i < dataset.tracks.size(); ++i) {
    LabelBalance& own = balance[static_cast<size_t>(dataset.tracks[i].label)];
    ++own.tracks;
    if (surveys[i].state == AudioState::readable) own.seconds += surveys[i].seconds;
  }
  return balance;
}

double median_seconds(std::span<const AudioSurvey> surveys) {
  std::vector<double> seconds;
  for (const AudioSurvey& survey : surveys) {
    if (survey.state == AudioState::readable) seconds.push_back(survey.seconds);
  }
  if (seconds.empty()) return 0;
  const auto middle = seconds.begin() + static_cast<int64_t>(seconds.size() / 2);
  std::nth_element(seconds.begin(), middle, seconds.end());
  return *middle;
}

}  // namespace melgrad
