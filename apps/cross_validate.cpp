// melgrad cross-validate DATA --out FOLDER
#include <chrono>
#include <cstdio>
#include <list>
#include <map>
#include <memory>
#include <thread>

#include "apps/arguments.h"
#include "apps/child_processes.h"
#include "apps/ranks.h"
#include "apps/train_options.h"
#include "framework/dataset/cross_validation.h"
#include "framework/io/atomic_file.h"
#include "framework/terminal/interrupt.h"
#include "framework/terminal/text.h"
#include "framework/training/run_folder.h"
#include "kernels/device/device_choice.h"

namespace melgrad {
namespace {

namespace fs = std::filesystem;

struct CrossValidateCommand {
  TrainCommand train;  // --out is the folder of all runs, --seed the first seed
  uint64_t seeds = 1;
  int64_t jobs = 1;
  std::string side = "test", against;
};

// Options of melgrad train whose value cross-validation chooses for every run.
constexpr const char* chosen_options[] = {"--fold", "--test-fraction", "--split-files", "--profile-steps"};

fs::path folder_of(const CrossValidateCommand& c, const FoldAndSeed& run) {
  return fs::path(c.train.run_folder) / run.name();
}

std::string resume_hint(const CrossValidateCommand& c) {
  return fmt::format("resume with the same command and --resume; finished runs in {} are kept", c.train.run_folder);
}

std::string last_line(std::string_view text) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  return text.empty() ? "no message" : std::string(text.substr(text.rfind('\n') + 1));
}

// One run: a training, then an evaluation, each a process.
class Job {
 public:
  Job(const CrossValidateCommand& c, FoldAndSeed run) : c_(c), run_(run), folder_(folder_of(c, run)) {}

  const FoldAndSeed& run() const { return run_; }
  fs::path evaluation() const { return folder_ / c_.side; }
  fs::path messages() const { return fs::path(c_.train.run_folder) / (run_.name() + ".log"); }

  void start(ChildProcesses& children) { child_ = children.start(arguments_of_training(), messages()); }
  bool is(pid_t child) const { return child_ == child; }

  // Continues after a child ended. Returns true if the run is complete. Throws Error if the child failed.
  bool proceed(ChildProcesses& children, int exit_code) {
    if (exit_code != exit_success && exit_code != exit_partial) {
      fail("the {} of {} failed with {} {}: {}; all its messages are in {}; {}",
           evaluating_ ? "evaluation" : "training", run_.name(), exit_code < 0 ? "signal" : "exit code",
           std::abs(exit_code), last_line(read_file(messages())), messages().string(), resume_hint(c_));
    }
    if (evaluating_) return true;
    evaluating_ = true;
    child_ = children.start(arguments_of_evaluation(), messages());
    return false;
  }

 private:
  std::vector<std::string> arguments_of_training() const {
    std::vector<std::string> arguments{"train", "--out", folder_.string()};
    if (holds_run(folder_)) {
      arguments.emplace_back("--resume");
    } else {
      arguments.insert(arguments.end(), {"--config", (fs::path(c_.train.run_folder) / "config.toml").string(), "--fold",
                                         std::to_string(run_.fold), "--seed", std::to_string(run_.seed)});
    }
    append_common(arguments);
    return arguments;
  }

  std::vector<std::string> arguments_of_evaluation() const {
    const TrainCommand& t = c_.train;
    std::vector<std::string> arguments{"evaluate", folder_.string(),     t.data, "--split", c_.side,
                                       "--out",    evaluation().string()};
    for (const auto& [flag, value] :
         {std::pair{"--labels", &t.labels.labels}, std::pair{"--path-column", &t.labels.path_column},
          std::pair{"--label-column", &t.labels.label_column}, std::pair{"--fold-column", &t.labels.fold_column}}) {
      if (!value->empty()) arguments.insert(arguments.end(), {flag, *value});
    }
    if (t.exact_convolution) arguments.emplace_back("--exact-convolution");
    append_common(arguments);
    return arguments;
  }

  void append_common(std::vector<std::string>& arguments) const {
    const TrainCommand& t = c_.train;
    arguments.insert(arguments.end(), {"--device", t.device.device, "--threads", std::to_string(t.device.threads)});
    arguments.insert(arguments.end(), {"--residency", t.features.residency});
    if (!t.features.cache.empty()) arguments.insert(arguments.end(), {"--cache", t.features.cache});
    if (!t.features.cache_limit.empty()) arguments.insert(arguments.end(), {"--cache-limit", t.features.cache_limit});
    if (t.features.no_cache) arguments.emplace_back("--no-cache");
    if (t.features.strict) arguments.emplace_back("--strict");
    arguments.emplace_back("--quiet");
  }

  const CrossValidateCommand& c_;
  FoldAndSeed run_;
  fs::path folder_;
  pid_t child_ = 0;
  bool evaluating_ = false;
};

std::vector<FoldAndSeed> all_runs(const CrossValidateCommand& c, const Dataset& dataset) {
  std::vector<FoldAndSeed> runs;
  for (uint64_t i = 0; i < c.seeds; ++i) {
    SplitOptions options = c.train.split;
    options.seed = c.train.train.seed + i;
    for (const int fold : fold_numbers(dataset, options)) runs.push_back({.fold = fold, .seed = options.seed});
  }
  return runs;
}

// Says what a run reached and how long the others will take.
class Report {
 public:
  Report(const CrossValidateCommand& c, size_t runs, size_t finished_before)
      : c_(c), runs_(runs), before_(finished_before), finished_(finished_before) {}

  void finished(const Job& job) {
    ++finished_;
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    const double left = seconds / static_cast<double>(finished_ - before_) * static_cast<double>(runs_ - finished_);
    std::string line = fmt::format("{}: {} track accuracy {:.3f} (run {} of {}", job.run().name(), c_.side,
                                   read_fold_result(job.evaluation()).track_accuracy, finished_, runs_);
    if (finished_ < runs_) line += fmt::format(", about {} left", clock_time(left));
    c_.train.output.note(line + ")");
  }

 private:
  const CrossValidateCommand& c_;
  size_t runs_, before_, finished_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

void run_all(const CrossValidateCommand& c, const std::vector<FoldAndSeed>& runs) {
  std::list<Job> waiting, working;
  for (const FoldAndSeed& run : runs) {
    if (!holds_evaluation(folder_of(c, run) / c.side)) waiting.emplace_back(c, run);
  }
  Report report(c, runs.size(), runs.size() - waiting.size());
  if (waiting.size() < runs.size()) {
    c.train.output.note(fmt::format("{} of {} runs are finished already", runs.size() - waiting.size(), runs.size()));
  }
  ChildProcesses children;
  while (!waiting.empty() || !working.empty()) {
    while (!waiting.empty() && std::ssize(working) < c.jobs) {
      working.splice(working.end(), waiting, waiting.begin());
      working.back().start(children);
    }
    const std::optional<EndedChild> ended = children.wait();
    if (!ended) {
      children.stop();
      throw Interrupted("interrupted; " + resume_hint(c));
    }
    const auto job = std::ranges::find_if(working, [&](const Job& one) { return one.is(ended->id); });
    if (job->proceed(children, ended->exit_code)) {
      report.finished(*job);
      working.erase(job);
    }
  }
}

nlohmann::ordered_json to_json(const Accuracy& a) { return {{"value", a.value}, {"interval", {a.low, a.high}}}; }
nlohmann::ordered_json to_json(const MeanAndDeviation& m) { return {{"mean", m.mean}, {"deviation", m.deviation}}; }
template <class Key>
nlohmann::ordered_json to_json(const std::map<Key, MeanAndDeviation>& values) {
  nlohmann::ordered_json result;
  for (const auto& [key, value] : values) result[std::to_string(key)] = to_json(value);
  return result;
}

nlohmann::ordered_json to_json(const CrossValidateCommand& c, const FoldResults& results,
                               const CrossValidationSummary& s) {
  nlohmann::ordered_json runs = nlohmann::ordered_json::array();
  for (const auto& [run, result] : results) {
    runs.push_back({{"fold", run.fold},
                    {"seed", run.seed},
                    {"tracks", result.correct.size()},
                    {"track_accuracy", result.track_accuracy},
                    {"segment_accuracy", result.segment_accuracy},
                    {"macro_f1", result.macro_f1}});
  }
  return {{"folder", c.train.run_folder},
          {"model", c.train.model},
          {"split", c.side},
          {"track_accuracy", to_json(s.track_accuracy)},
          {"by_fold", to_json(s.by_fold)},
          {"by_seed", to_json(s.by_seed)},
          {"over_folds", to_json(s.over_folds)},
          {"over_seeds", to_json(s.over_seeds)},
          {"segment_accuracy", to_json(s.segment_accuracy)},
          {"macro_f1", to_json(s.macro_f1)},
          {"runs", runs}};
}

nlohmann::ordered_json to_json(const PairedComparison& comparison, const std::string& against) {
  nlohmann::ordered_json runs = nlohmann::ordered_json::array();
  for (const auto& [run, difference] : comparison.by_run) {
    runs.push_back({{"fold", run.fold}, {"seed", run.seed}, {"difference", difference}});
  }
  return {{"against", against},
          {"difference", to_json(comparison.difference)},
          {"runs", runs},
          {"runs_only_here", comparison.only_first},
          {"runs_only_there", comparison.only_second}};
}

void print_table(const FoldResults& results, const CrossValidationSummary& s) {
  fmt::print("{:>8}", "seed");
  for (const auto& [fold, summary] : s.by_fold) fmt::print("{:>9}", fmt::format("fold {}", fold));
  fmt::print("{:>9}\n", "mean");
  for (const auto& [seed, summary] : s.by_seed) {
    fmt::print("{:>8}", seed);
    for (const auto& [fold, unused] : s.by_fold) {
      const auto result = results.find({.fold = fold, .seed = seed});
      fmt::print("{:>9}", result == results.end() ? "-" : fmt::format("{:.3f}", result->second.track_accuracy));
    }
    fmt::print("{:>9.3f}\n", summary.mean);
  }
  fmt::print("{:>8}", "mean");
  for (const auto& [fold, summary] : s.by_fold) fmt::print("{:>9.3f}", summary.mean);
  fmt::print("{:>9.3f}\n", s.over_folds.mean);
}

void print_text(const CrossValidateCommand& c, const FoldResults& results, const CrossValidationSummary& s) {
  fmt::print("track accuracy on the {} tracks\n", c.side);
  print_table(results, s);
  fmt::print("\nall tracks: {:.3f}  (95 % interval {:.3f} to {:.3f})\n", s.track_accuracy.value, s.track_accuracy.low,
             s.track_accuracy.high);
  fmt::print("standard deviation over folds {:.3f}, over seeds {:.3f}\n", s.over_folds.deviation,
             s.over_seeds.deviation);
  fmt::print("segment accuracy {:.3f}, macro F1 {:.3f} (means over the runs)\n", s.segment_accuracy.mean,
             s.macro_f1.mean);
}

void print_text(const PairedComparison& comparison, const std::string& against) {
  fmt::print("\ndifference to {}: {:+.3f}  (95 % interval {:+.3f} to {:+.3f}), over {} common runs\n", against,
             comparison.difference.value, comparison.difference.low, comparison.difference.high,
             comparison.by_run.size());
  for (const auto& [run, difference] : comparison.by_run) {
    fmt::print("  fold {}, seed {}: {:+.3f}\n", run.fold, run.seed, difference);
  }
  if (comparison.only_first + comparison.only_second > 0) {
    fmt::print("not compared: {} runs that only this recipe has, {} that only the other one has\n",
               comparison.only_first, comparison.only_second);
  }
}

void check_options(const CrossValidateCommand& c, const CLI::App& app) {
  for (const char* option : chosen_options) {
    if (app.count(option) > 0) {
      throw UsageError(fmt::format("cross-validate chooses {} for every run; leave it out", option));
    }
  }
  if (c.train.data.empty()) {
    throw UsageError("no data set was given, as in: melgrad cross-validate music --out runs/cv");
  }
}

void open_folder(const CrossValidateCommand& c, const CLI::App& app) {
  const fs::path file = fs::path(c.train.run_folder) / "config.toml";
  const std::string config = config_of_run(c.train, app);
  if (c.train.resume) {
    require_same_options(file, config, c.train.config_options);
  } else if (fs::exists(file)) {
    fail("{} already holds a cross-validation; add --resume to continue it, or choose another --out",
         c.train.run_folder);
  }
  write_file_atomically(file, config);
}

int cross_validate(CrossValidateCommand c, const CLI::App& app) {
  if (const std::optional<Launch> launch = launch_of_process()) {
    if (!speaks_for_all_ranks()) return exit_usage;
    throw UsageError(fmt::format(
        "{} started several processes of cross-validate, which starts its runs itself; start one process, with --jobs",
        launch->launcher));
  }
  check_options(c, app);
  require_device(c.train.device.device);
  cache_limit(c.train.features.cache_limit);  // reports a wrong value
  install_interrupt_handler();
  const Dataset dataset = load_dataset(c.train.labels.source(c.train.data));
  for (const std::string& warning : dataset.warnings) c.train.output.note(warning);
  const std::vector<FoldAndSeed> runs = all_runs(c, dataset);
  make_folders(c.train.run_folder);
  const RunLock lock(c.train.run_folder);
  open_folder(c, app);
  if (c.train.device.threads == 0 && c.jobs > 1) {
    const int64_t processors = std::max<int64_t>(1, std::thread::hardware_concurrency());
    c.train.device.threads = static_cast<int>(std::max<int64_t>(1, processors / c.jobs));
  }
  run_all(c, runs);

  FoldResults results;
  for (const FoldAndSeed& run : runs) results[run] = read_fold_result(folder_of(c, run) / c.side);
  const CrossValidationSummary summary = summarize(results, dataset);
  nlohmann::ordered_json json = to_json(c, results, summary);
  std::optional<PairedComparison> comparison;
  if (!c.against.empty()) {
    comparison = compare(results, read_fold_results(c.against, c.side), dataset);
    json["comparison"] = to_json(*comparison, c.against);
  }
  const fs::path file = fs::path(c.train.run_folder) / (c.side + ".json");
  write_file_atomically(file, json_text(json));
  if (c.train.output.json) {
    print_json(json);
  } else {
    print_text(c, results, summary);
    if (comparison) print_text(*comparison, c.against);
    fmt::print("\nwritten to {}\n", file.string());
  }
  return exit_success;
}

}  // namespace

Command add_cross_validate(CLI::App& program) {
  auto command = std::make_shared<CrossValidateCommand>();
  CLI::App& app = *program.add_subcommand("cross-validate",
                                          "Train and evaluate a recipe on every fold of a data set, for several seeds");
  app.option_defaults()->always_capture_default()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  app.footer(
      "All other options are those of melgrad train.\n\n"
      "Examples:\n"
      "  melgrad cross-validate music --out cv/plain --folds 5 --seeds 3 --mixup 0\n"
      "  melgrad cross-validate music --out cv/mixup --folds 5 --seeds 3 --against cv/plain");
  app.option_defaults()->group("Cross-validation");
  std::vector<const CLI::Option*> own{
      app.add_option("--seeds", command->seeds, "Number of seeds. The first one is that of --seed")
          ->check(CLI::Range(1, 1000)),
      app.add_option("--jobs", command->jobs, "Runs at a time. Their threads share the processors")
          ->check(CLI::Range(1, 1000)),
      app.add_option("--split", command->side,
                     "Tracks to evaluate. Choose recipes on the validation tracks, and look at the test tracks once, "
                     "at the end")
          ->check(one_of({"test", "validation"})),
      app.add_option("--against", command->against,
                     "Compare with the runs of another cross-validation of the same data, folds and seeds")
          ->type_name("FOLDER")};
  add_train_options(app, command->train);
  app.get_option("--out")->description("Folder for all runs and the result");
  app.get_option("--resume")->description("Resume the cross-validation in --out, with its options");
  app.get_option("--seed")->description("First seed; the next ones follow it");
  app.get_option("--folds")->description("Number of folds to make if the data set has no fold column");
  for (const char* option : chosen_options) {
    app.get_option(option)->group("");
    own.push_back(app.get_option(option));
  }
  ConfigOptions& config = command->train.config_options;
  config.of_one_call.insert(config.of_one_call.end(), own.begin(), own.end());
  return {&app, [command, &app] { return cross_validate(*command, app); }, config};
}

}  // namespace melgrad
