// melgrad report RUN... --out FILE.html
#include <algorithm>
#include <cstdio>
#include <memory>
#include <set>

#include "apps/arguments.h"
#include "apps/command.h"
#include "apps/overwriting.h"
#include "apps/report/page.h"
#include "apps/report/run_results.h"
#include "framework/io/atomic_file.h"

namespace melgrad {
namespace {

struct ReportCommand {
  OutputOptions output;
  DeviceOptions device;
  ReportOptions report;
  std::vector<std::string> runs;
  std::string out;
  bool no_check = false;
};

// The data sets of the runs, each once.
std::vector<CheckedData> check_data(const std::vector<RunResults>& runs, const ReportCommand& c, Device device) {
  std::vector<CheckedData> result;
  for (const RunResults& run : runs) {
    if (std::ranges::any_of(result, [&](const CheckedData& known) { return known.path == run.source.data; })) continue;
    const Dataset dataset = load_dataset(run.source);
    require_no_input("--out", {c.out}, files_of(run.source, dataset));
    std::set<std::string> groups;
    for (const Track& track : dataset.tracks) {
      if (!track.group.empty()) groups.insert(track.group);
    }
    CheckedData data{.path = run.source.data.string(),
                     .tracks = dataset.tracks.size(),
                     .labels = dataset.labels.size(),
                     .groups = groups.size(),
                     .warnings = dataset.warnings};
    if (!c.no_check) {
      data.checkup = check_up(dataset, {}, c.report.features.settings(), device, c.output.reporter());
    }
    result.push_back(std::move(data));
  }
  return result;
}

nlohmann::ordered_json to_json(const std::vector<RunResults>& runs, const std::string& out) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const RunResults& run : runs) {
    nlohmann::ordered_json baselines = nlohmann::ordered_json::array();
    for (const Baseline& baseline : run.baselines) {
      baselines.push_back({{"baseline", baseline.description},
                           {"track_accuracy", baseline.accuracy.value},
                           {"gain", baseline.gain.value},
                           {"gain_interval", {baseline.gain.low, baseline.gain.high}}});
    }
    const Accuracy& accuracy = run.evaluation.track_accuracy;
    list.push_back({{"run", run.name},
                    {"model", run.card.model},
                    {"split", run.side},
                    {"tracks", run.tracks.size()},
                    {"track_accuracy", accuracy.value},
                    {"track_accuracy_interval", {accuracy.low, accuracy.high}},
                    {"expected_calibration_error", run.evaluation.calibration.ece_after},
                    {"baselines", baselines},
                    {"failed_files", run.failures}});
  }
  return {{"report", out}, {"runs", list}};
}

int report(const ReportCommand& c) {
  const Device device = c.device.choose(c.output);
  const std::filesystem::path file = c.out, folder = std::filesystem::absolute(file).parent_path();
  for (const std::string& name : c.runs) {
    const std::filesystem::path run = name;
    std::error_code ignored;  // examine_run reports a run that cannot be read
    require_no_input("--out", {file}, {run});
    require_no_input("--out", {file},
                     files_of_run(std::filesystem::is_directory(run, ignored) ? run : run.parent_path()));
  }
  make_folders(folder);  // before the long work
  std::vector<RunResults> runs;
  for (const std::string& run : c.runs) runs.push_back(examine_run(run, c.report, device, c.output));
  const std::vector<CheckedData> data = check_data(runs, c, device);
  write_file_atomically(file, report_page(runs, data, folder));
  if (c.output.json) {
    print_json(to_json(runs, c.out));
  } else {
    for (const RunResults& run : runs) {
      const Accuracy& accuracy = run.evaluation.track_accuracy;
      fmt::print("{}: track accuracy {:.3f}  (95 % interval {:.3f} to {:.3f})\n", run.name, accuracy.value,
                 accuracy.low, accuracy.high);
    }
    fmt::print("written to {}\n", c.out);
  }
  const bool complete = std::ranges::all_of(runs, [](const RunResults& run) { return run.failures.empty(); });
  return complete ? exit_success : exit_partial;
}

}  // namespace

Command add_report(CLI::App& program) {
  auto command = std::make_shared<ReportCommand>();
  CLI::App& app = *program.add_subcommand("report", "Write an HTML page about one or several runs");
  app.option_defaults()->always_capture_default();
  app.footer(
      "The page shows the accuracy against a linear baseline, learning curves, the confusion matrix,\n"
      "ROC, calibration, the hardest tracks, the data, the model and the settings. It needs no other\n"
      "file and no network.\n\n"
      "Examples:\n"
      "  melgrad report runs/first --out first.html\n"
      "  melgrad report runs/cnn runs/resnet --out comparison.html");
  app.add_option("runs", command->runs, description_of_run)->required();
  app.add_option("--out", command->out, "HTML file to write")->required()->type_name("FILE");
  app.add_option("--data", command->report.data, "Data set of the runs. Default: the one that each run was trained on")
      ->type_name("DATA");
  add_label_options(app, command->report.labels);
  app.add_option("--split", command->report.side,
                 "Part of the run's split to evaluate. auto: test, otherwise validation, otherwise all tracks")
      ->check(one_of({"auto", "test", "validation", "train", "all"}));
  app.add_option("--hardest", command->report.hardest, "Number of tracks to show with spectrogram and Grad-CAM")
      ->check(CLI::Range(0, 100));
  app.add_flag("--no-check", command->no_check, "Leave out what melgrad check finds in the data set");
  add_inference_options(app, command->report.inference);
  app.option_defaults()->group("Features");
  add_feature_options(app, command->report.features);
  app.option_defaults()->group("Run");
  add_device_options(app, command->device);
  add_output_options(app, command->output);
  return {&app, [command] { return report(*command); }};
}

}  // namespace melgrad
