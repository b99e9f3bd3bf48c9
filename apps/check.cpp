// melgrad check DATA
#include <algorithm>
#include <cstdio>
#include <memory>
#include <numeric>

#include "apps/arguments.h"
#include "apps/command.h"
#include "apps/features.h"
#include "apps/label_options.h"
#include "apps/overwriting.h"
#include "framework/dataset/checkup.h"
#include "framework/io/picture.h"
#include "framework/terminal/text.h"

namespace melgrad {
namespace {

struct CheckCommand {
  OutputOptions output;
  DeviceOptions device;
  std::string data, png;
  LabelOptions labels;
  FeatureOptions features;  // its `strict` is not used
  std::vector<std::string> ignored;
  CheckLimits limits;
  bool strict = false;
  size_t lines = 10;
};

struct CheckedDataset {
  Dataset dataset;
  Checkup checkup;
};

CheckedDataset examine(const CheckCommand& c) {
  const Device device = c.device.choose(c.output);
  const DatasetSource source = c.labels.source(c.data);
  CheckedDataset checked{.dataset = load_dataset(source)};
  require_no_input("--png", {c.png}, files_of(source, checked.dataset));
  checked.checkup = check_up(checked.dataset, c.limits, c.features.settings(), device, c.output.reporter());
  std::erase_if(checked.checkup.findings,
                [&](const Finding& finding) { return std::ranges::count(c.ignored, finding.kind) > 0; });
  return checked;
}

nlohmann::ordered_json to_json(const CheckedDataset& checked, const std::string& data) {
  const auto& [dataset, checkup] = checked;
  nlohmann::ordered_json labels, rates = nlohmann::ordered_json::object(), findings = nlohmann::ordered_json::array();
  for (const LabelBalance& label : label_balance(dataset, checkup.surveys)) {
    labels[label.label] = {{"tracks", label.tracks}, {"seconds", label.seconds}};
  }
  for (const auto& [rate, tracks] : tracks_of_rate(checkup.surveys)) rates[std::to_string(rate)] = tracks;
  for (const Finding& finding : checkup.findings) {
    findings.push_back({{"kind", finding.kind}, {"files", finding.files}, {"detail", finding.detail}});
  }
  return {{"data", data},          {"tracks", dataset.tracks.size()},
          {"labels", labels},      {"median_seconds", median_seconds(checkup.surveys)},
          {"sample_rates", rates}, {"findings", findings}};
}

void print_balance(const std::vector<LabelBalance>& balance) {
  constexpr int64_t longest_bar = 40;
  size_t widest = 0;
  int64_t most = 0;
  for (const LabelBalance& label : balance) {
    widest = std::max(widest, label.label.size());
    most = std::max(most, label.tracks);
  }
  for (const LabelBalance& label : balance) {
    const auto length = static_cast<size_t>(std::max<int64_t>(1, longest_bar * label.tracks / most));
    fmt::print("{:{}}  {:>6} tracks  {:>7.1f} min  {}\n", label.label, widest, label.tracks, label.seconds / 60,
               std::string(length, '#'));
  }
}

void print_text(const CheckedDataset& checked, const CheckCommand& c) {
  const auto& [dataset, checkup] = checked;
  fmt::print("{}: {} tracks in {} labels, median length {:.1f} s\n", one_line(c.data), dataset.tracks.size(),
             dataset.labels.size(), median_seconds(checkup.surveys));
  for (const auto& [rate, tracks] : tracks_of_rate(checkup.surveys)) fmt::print("{} Hz: {} tracks\n", rate, tracks);
  fmt::print("\n");
  print_balance(label_balance(dataset, checkup.surveys));
  if (checkup.findings.empty()) fmt::print("\nnothing found\n");
  for (const FindingKind& kind : finding_kinds()) {
    std::vector<const Finding*> found;
    for (const Finding& finding : checkup.findings) {
      if (finding.kind == kind.name) found.push_back(&finding);
    }
    if (found.empty()) continue;
    fmt::print("\n{} ({}: {}); {}\n", kind.title, kind.name, found.size(), kind.remedy);
    const size_t shown = std::min(found.size(), c.lines);
    for (size_t i = 0; i < shown; ++i) fmt::print("  {}\n", one_line(found[i]->detail));
    if (shown < found.size()) fmt::print("  and {} more: --lines shows more, --json all\n", found.size() - shown);
  }
}

void draw_balance(const CheckedDataset& checked, const std::string& png) {
  const auto& [dataset, checkup] = checked;
  std::vector<int64_t> counts;
  for (const LabelBalance& label : label_balance(dataset, checkup.surveys)) counts.push_back(label.tracks);
  const std::string title = fmt::format("{} tracks", std::reduce(counts.begin(), counts.end()));
  draw_bar_chart(png, dataset.labels, counts, title);
}

int check(const CheckCommand& c) {
  const CheckedDataset checked = examine(c);
  if (!c.png.empty()) draw_balance(checked, c.png);
  if (c.output.json) {
    print_json(to_json(checked, c.data));
  } else {
    print_text(checked, c);
  }
  return c.strict && !checked.checkup.findings.empty() ? exit_failure : exit_success;
}

}  // namespace

Command add_check(CLI::App& program) {
  auto command = std::make_shared<CheckCommand>();
  std::vector<std::string> kinds;
  for (const FindingKind& kind : finding_kinds()) kinds.emplace_back(kind.name);
  CLI::App& app = *program.add_subcommand("check", "Find broken files, duplicates and other problems in a data set");
  app.option_defaults()->always_capture_default();
  app.footer("Examples:\n  melgrad check music --png balance.png --strict --ignore clipped,short");
  app.add_option("data", command->data, description_of_data)->required();
  add_label_options(app, command->labels);
  app.add_option("--png", command->png, "Draw the number of tracks of each label to this PNG file")->type_name("FILE");
  app.add_option("--lines", command->lines, "Number of findings to print of each kind")->check(whole_number());
  app.add_option("--min-seconds", command->limits.shortest_seconds,
                 "Report tracks shorter than this, in seconds. 0: a quarter of the median length")
      ->check(non_negative_number());
  app.add_option("--max-seconds", command->limits.longest_seconds,
                 "Report tracks longer than this, in seconds. 0: four times the median length")
      ->check(non_negative_number());
  app.add_option("--ignore", command->ignored, "Kinds of findings to leave out, separated by commas")
      ->check(one_of(kinds))
      ->delimiter(',')
      ->allow_extra_args(false);
  app.add_flag("--strict", command->strict, "Exit with code 1 if there are findings");
  app.option_defaults()->group("Features");
  add_cache_options(app, command->features);
  app.option_defaults()->group("Run");
  add_device_options(app, command->device);
  add_output_options(app, command->output);
  return {&app, [command] { return check(*command); }};
}

}  // namespace melgrad
