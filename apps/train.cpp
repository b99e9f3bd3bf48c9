// melgrad train DATA --out RUN
#include <xxhash.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <utility>

#include "apps/overwriting.h"
#include "apps/ranks.h"
#include "apps/train_events.h"
#include "apps/training.h"
#include "apps/version.h"
#include "framework/dataset/split_csv.h"
#include "framework/io/atomic_file.h"
#include "framework/terminal/interrupt.h"
#include "framework/terminal/text.h"
#include "framework/training/rank_agreement.h"
#include "framework/training/run_folder.h"
#include "framework/training/run_log.h"
#include "models/checkpoint_file.h"

namespace melgrad {
namespace {

namespace fs = std::filesystem;

std::string resume_hint(const TrainCommand& c) {
  return fmt::format("resume with: melgrad train {} --out {} --resume", shell_quoted(c.data),
                     shell_quoted(c.run_folder));
}

// Says what another number of epochs does to the learning rate of a run that is resumed.
void note_change_of_epochs(const TrainCommand& c, const fs::path& config, int64_t steps_per_epoch) {
  TrainCommand before = c;
  before.train.epochs = std::atoll(value_in(config, "epochs").value_or("0").c_str());
  if (before.train.epochs < 1 || before.train.epochs == c.train.epochs) return;
  const Schedule old_schedule = learning_rate_schedule(before, steps_per_epoch);
  const Schedule new_schedule = learning_rate_schedule(c, steps_per_epoch);
  const int64_t last = std::min(before.train.epochs, c.train.epochs) * steps_per_epoch - 1;
  if (old_schedule(last) == new_schedule(last)) return;
  c.output.note(
      fmt::format("the run was started with {} epochs and now has {}, so its learning rate follows another curve: at "
                  "the end of epoch {} it is {:.2g} instead of {:.2g}, and at the end of epoch {} it is {:.2g}; "
                  "--schedule constant in a new run avoids this",
                  before.train.epochs, c.train.epochs, (last + 1) / steps_per_epoch, new_schedule(last),
                  old_schedule(last), c.train.epochs, new_schedule(c.train.epochs * steps_per_epoch - 1)));
}

nlohmann::ordered_json to_json(const std::vector<Leak>& leaks, const Dataset& dataset) {
  nlohmann::ordered_json result = nlohmann::ordered_json::array();
  for (const Leak& leak : leaks) {
    result.push_back({{"first", dataset.tracks[leak.pair.first].name},
                      {"first_split", leak.first_side},
                      {"second", dataset.tracks[leak.pair.second].name},
                      {"second_split", leak.second_side},
                      {"identical", leak.pair.identical},
                      {"agreement", leak.pair.agreement},
                      {"offset_seconds", leak.pair.offset_seconds}});
  }
  return result;
}

int report_outcome(const TrainCommand& c, const Trainer& trainer, Trainer::Outcome outcome, const RunLog& log,
                   const std::vector<std::string>& failed, const std::vector<std::string>& left_out,
                   const nlohmann::ordered_json& leaks) {
  const fs::path run = c.run_folder;
  if (outcome == Trainer::Outcome::interrupted) {
    throw Interrupted(fmt::format("interrupted in epoch {}; {}", trainer.completed_epochs() + 1, resume_hint(c)));
  }
  nlohmann::ordered_json result{{"run", c.run_folder},
                                {"outcome", outcome == Trainer::Outcome::finished ? "finished" : "stopped_early"},
                                {"epochs", trainer.completed_epochs()},
                                {"best_epoch", trainer.best_epoch()},
                                {"failed_files", failed},
                                {"left_out", left_out},
                                {"leaks", leaks}};
  const auto* last = log.line_of(trainer.completed_epochs());
  const auto* best = log.line_of(trainer.best_epoch());
  double seconds = 0;
  for (const auto& epoch : log.lines()) seconds += epoch.at("seconds").get<double>();
  result["seconds"] = seconds;
  for (const std::string key : {"validation_loss", "validation_track_accuracy"}) {
    if (last) result[key] = last->at(key);
    if (best) result["best_" + key] = best->at(key);
  }
  if (c.output.json) {
    print_json(result);
    return exit_success;
  }
  const auto print_model = [&run](const char* file, std::string_view what, const nlohmann::ordered_json* epoch) {
    if (!epoch) return;
    fmt::print("{}: {}, validation track accuracy {:.3f}, loss {:.3f}\n", (run / file).string(), what,
               epoch->at("validation_track_accuracy").get<double>(), epoch->at("validation_loss").get<double>());
  };
  const int64_t epochs = trainer.completed_epochs();
  fmt::print("{} epoch{}, {:.1f} s of training; log: {}\n", epochs, epochs == 1 ? "" : "s", seconds,
             (run / "log.jsonl").string());
  print_model("last.safetensors", "the last epoch, used by evaluate and predict", last);
  print_model("best.safetensors", fmt::format("the best epoch, {}", trainer.best_epoch()), best);
  return exit_success;
}

// Calibration of the model of the last epoch on the validation tracks, for reports. The temperature is fitted on the
// same tracks, so ece_after is lower than on others.
nlohmann::ordered_json validation_json(std::span<const TrackPrediction> predictions, const ClipStore& validation,
                                       int64_t epoch) {
  const auto examples = labelled_logits(predictions, validation);
  const double temperature = fit_temperature(examples).value_or(1);
  return {
      {"epoch", epoch}, {"tracks", examples.size()}, {"calibration", to_json(calibration_at(temperature, examples))}};
}

// After the first epoch of this process, prints an estimate of the time of the remaining ones. `elapsed` is the time
// since the start of the training, in seconds.
void note_remaining_time(const TrainCommand& c, const EpochReport& report, int64_t items, double elapsed) {
  const int64_t remaining = c.train.epochs - report.epoch;
  if (remaining == 0) return;
  // A resumed run may have trained a part of this epoch only. The rest of the time is that of the validation.
  const double epoch = static_cast<double>(items) / report.items_per_second + elapsed - report.seconds;
  const double seconds = static_cast<double>(remaining) * epoch;
  c.output.note(fmt::format("  {} more epoch{} will take about {} {}{}", remaining, remaining == 1 ? "" : "s",
                            clock_time(seconds), seconds < 3600 ? "min" : "h",
                            c.train.patience > 0 ? ", less if --patience ends the training" : ""));
}

// The properties that all ranks compare before they extract features: the version and the options. Left out are paths,
// because the ranks compare what they read from them (below) and start from the weights of rank 0, and options of one
// machine, which change no result.
std::map<std::string, std::string> properties_of(const std::string& config) {
  const std::set<std::string> of_one_rank{"data",     "labels",    "split_files", "init",
                                          "device",   "threads",   "cache",       "cache_limit",
                                          "no_cache", "residency", "no_graphs",   "checkpoint_seconds"};
  std::map<std::string, std::string> result{{"version", version_line()}};
  std::istringstream lines(config);
  for (std::string line; std::getline(lines, line);) {
    const size_t equals = line.find(" = ");
    if (equals == std::string::npos) continue;
    std::string option = line.substr(0, equals);
    if (of_one_rank.contains(option)) continue;
    std::ranges::replace(option, '_', '-');
    result["value of --" + option] = line.substr(equals + 3);
  }
  return result;
}

// The properties that all ranks compare after they read the data: the contents of the files, the labels and the split.
std::map<std::string, std::string> properties_of(const TrainingData& data, const Dataset& dataset) {
  std::map<std::string, std::string> result{
      {"number of training tracks", std::to_string(data.split.train.size())},
      {"number of validation tracks", std::to_string(data.split.validation.size())}};
  std::string tracks;
  for (const std::string& label : dataset.labels) tracks += label + '\n';
  for (const auto& side : {data.split.train, data.split.validation}) {
    for (const size_t track : side) {
      tracks += fmt::format("{}\n{}\n", dataset.tracks[track].name, dataset.tracks[track].label);
      const auto content = data.contents.find(track);
      if (content != data.contents.end()) tracks += content->second + '\n';
    }
  }
  result["digest of the data"] = fmt::format("{:016x}", XXH3_64bits(tracks.data(), tracks.size()));
  return result;
}

// Trains on a rank other than 0, which prints and writes nothing.
int train_silently(Training& training) {
  const Trainer::Outcome outcome = training.trainer.run(ProgressMode::quiet, [](const EpochReport&) {});
  if (outcome != Trainer::Outcome::interrupted) return exit_success;
  return exit_by_signal(interrupted() ? interrupting_signal() : SIGTERM);
}

// Trains and returns the exit code. An exception after the first checkpoint says how to resume.
int train_and_report(const TrainingSetup& setup, const RunLock& lock, Training& training) {
  const TrainCommand& c = setup.command;
  Trainer& trainer = training.trainer;
  const TrainingData& data = training.data;
  const fs::path run = c.run_folder;
  RunLog log(run / "log.jsonl", trainer.completed_epochs());
  EventLog events(run, log, settings_of_run(run));
  events.append_picture(0, "training crop", training_crop_png(training, setup));
  bool without_graphs = false, is_first_epoch = true;
  const auto start = std::chrono::steady_clock::now();
  const auto on_epoch = [&](const EpochReport& report) {
    log.append(report);
    events.append_epoch(log.lines().back());
    c.output.note(fmt::format("  validation: track accuracy {:.3f}, loss {:.3f}{}", *report.validation.accuracy,
                              without_nan_sign(report.validation.loss), report.best ? " (best so far)" : ""));
    if (std::exchange(is_first_epoch, false)) {
      const double elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      note_remaining_time(c, report, training.batches->epoch_size().items, elapsed);
    }
    if (report.loss_scaling && report.loss_scaling->skipped_steps > 0) {
      c.output.note(fmt::format("  steps skipped because a gradient overflowed in fp16: {}; the loss scale is now {}",
                                report.loss_scaling->skipped_steps, report.loss_scaling->scale));
    }
    const std::string& obstacle = trainer.graph_obstacle();
    if (!std::exchange(without_graphs, !obstacle.empty()) && without_graphs) {
      c.output.note("steps run without a CUDA graph, as with --no-graphs: " + obstacle);
    }
  };
  try {
    const Trainer::Outcome outcome = trainer.run(c.output.progress(), on_epoch);
    if (outcome != Trainer::Outcome::interrupted) {
      lock.require_held();
      const auto json =
          validation_json(training.validation_predictions(), *data.validation, trainer.completed_epochs());
      write_file_atomically(run / "validation.json", json_text(json));
      events.append_picture(trainer.completed_epochs(), "confusion of the validation tracks",
                            validation_confusion_png(training));
      events.end(trainer.completed_epochs());
    }
    return report_outcome(c, trainer, outcome, log, data.failures, setup.dataset.warnings,
                          to_json(data.leaks, setup.dataset));
  } catch (const DeviceError& error) {
    if (!holds_run(run)) throw;
    fail("the device failed: {}; {}", error.what(), resume_hint(c));
  } catch (const WriteError& error) {
    lock.require_held();
    fail("{}; then {}", error.what(), holds_run(run) ? resume_hint(c) : "train again");
  }
}

// Continues from the checkpoint of the run folder.
void resume(Training& training, const TrainingSetup& setup) {
  const fs::path run = setup.command.run_folder;
  require_same_tracks(run / "split.csv", setup.dataset, training.data.contents);
  const Checkpoint checkpoint = read_checkpoint(run);
  require_same_card(checkpoint.content.metadata, training.data.card, checkpoint.path);
  training.trainer.resume(checkpoint);
}

// The config of a run has the length of its crops instead of 0, so that it stays the same when the run is resumed.
void put_automatic_crop(CLI::App& app, int64_t crop_frames) {
  CLI::Option& option = *app.get_option("--crop-frames");
  if (option.as<int64_t>() != 0) return;
  option.clear();
  option.default_str(std::to_string(crop_frames));
}

// With --resume, 0 stands for the length that the run has.
void take_crop_of_run(TrainCommand& c, CLI::App& app) {
  const fs::path config = fs::path(c.run_folder) / "config.toml";
  if (!c.resume || c.crops.crop_frames != 0 || !holds_run(c.run_folder)) return;
  c.crops.crop_frames = std::atoll(value_in(config, "crop_frames").value_or("0").c_str());
  put_automatic_crop(app, c.crops.crop_frames);
}

// The checkpoint of --init; empty without it.
fs::path initial_checkpoint(const TrainCommand& c) {
  return c.fine_tuning.init.empty() ? fs::path() : checkpoint_file(c.fine_tuning.init);
}

int train(TrainCommand c, CLI::App& app, Communicator& ranks) {
  const fs::path run = c.run_folder;
  const bool leads = ranks.rank() == 0;
  install_interrupt_handler();
  c.train.ranks = &ranks;
  if (!leads) c.output = {.json = false, .quiet = true, .silent = true};
  take_crop_of_run(c, app);
  TrainingSetup setup = set_up_training(c);
  const std::string config = config_of_run(c, app);
  require_agreement(ranks, properties_of(config));
  if (!leads) {
    Training training(setup, {.path = run, .metadata = {}});
    require_agreement(ranks, properties_of(training.data, setup.dataset));
    return train_silently(training);
  }
  if (!c.resume) require_no_input("--out", files_of_run(run), {c.data, c.labels.labels, initial_checkpoint(c)});
  const std::unique_ptr<RunLock> lock = open_run_folder(run, c.resume);
  if (c.resume) require_same_options(run / "config.toml", config, c.config_options);
  Training training(setup, {.path = run, .metadata = {}, .before_writing = [&lock] { lock->require_held(); }});
  require_agreement(ranks, properties_of(training.data, setup.dataset));
  if (c.resume) {
    resume(training, setup);
    note_change_of_epochs(c, run / "config.toml", training.steps_per_epoch);
  }
  put_automatic_crop(app, training.data.card.crop_frames);
  write_file_atomically(run / "config.toml", config_of_run(c, app));
  write_split_csv(run / "split.csv", setup.dataset, training.data.split, training.data.contents);
  training.note_start();
  return train_and_report(setup, *lock, training);
}

std::vector<fs::path> inputs_of(const TrainCommand& c, const Dataset& dataset) {
  std::vector<fs::path> files = files_of(c.labels.source(c.data), dataset);
  const std::vector<fs::path> run = c.resume ? files_of_run(c.run_folder) : std::vector{initial_checkpoint(c)};
  files.insert(files.end(), run.begin(), run.end());
  return files;
}

// Prepares training steps without validation and checkpoints. The run of --out is only read, with --resume.
PreparedWork prepare_steps(const TrainCommand& c) {
  if (!c.profile_steps.empty()) throw UsageError("--profile-steps is for nsys and ncu; leave it out");
  if (c.resume && c.run_folder.empty()) throw UsageError("--resume needs --out, the folder of the run");
  if (!c.resume && !c.run_folder.empty()) c.output.note("the measured training is not kept, so --out is not used");
  struct State {
    TrainingSetup setup;
    Training training;
    explicit State(const TrainCommand& command) : setup(set_up_training(command)), training(setup, {}) {}
  };
  TrainCommand measured = c;
  measured.no_graphs = true;  // the operations of a graph have no ranges of their own
  const auto state = std::make_shared<State>(measured);
  if (c.resume) resume(state->training, state->setup);
  state->training.note_start();
  return {.run =
              [state](int64_t count) {
                state->training.trainer.train_steps(count);
                if (interrupted()) throw Interrupted("interrupted; nothing was measured");
              },
          .device = state->setup.device,
          .dtype = state->setup.precision.dtype,
          .inputs = inputs_of(c, state->setup.dataset)};
}

}  // namespace

Command add_train(CLI::App& program) {
  auto command = std::make_shared<TrainCommand>();
  CLI::App& app = *program.add_subcommand("train", "Train a classifier");
  app.option_defaults()->always_capture_default()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  app.footer(
      "Examples:\n"
      "  melgrad train music --out runs/first --test-fraction 0.2\n"
      "  melgrad train --out runs/first --resume");
  add_train_options(app, *command);
  return {
      .app = &app,
      .run = [command, &app] { return run_on_ranks([&](Communicator& ranks) { return train(*command, app, ranks); }); },
      .config = command->config_options,
      .profiled = ProfiledWork{.unit = "step",
                               .warmup = 3,
                               .count = 10,
                               .prepare = [command] { return prepare_steps(*command); },
                               .output = &command->output}};
}

}  // namespace melgrad
