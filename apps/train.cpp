// melgrad train DATA --out RUN
#include <memory>
#include <utility>

#include "apps/train_options.h"
#include "framework/dataset/rehearsal.h"
#include "framework/dataset/split_csv.h"
#include "framework/dataset/track_validation.h"
#include "framework/dataset/training_data.h"
#include "framework/io/atomic_file.h"
#include "framework/random.h"
#include "framework/terminal/interrupt.h"
#include "framework/terminal/text.h"
#include "framework/training/run_folder.h"
#include "framework/training/run_log.h"
#include "kernels/convolution/exact.h"
#include "kernels/device/deterministic.h"
#include "kernels/device/hardware.h"
#include "kernels/device/tf32.h"
#include "models/models.h"

namespace melgrad {
namespace {

namespace fs = std::filesystem;

std::string resume_hint(const TrainCommand& c) {
  return fmt::format("resume with: melgrad train {} --out {} --resume", shell_quoted(c.data),
                     shell_quoted(c.run_folder));
}

// Checks options that depend on the number of steps.
void check_steps(const TrainCommand& c, int64_t steps_per_epoch) {
  const int64_t steps = c.train.epochs * steps_per_epoch;
  if (c.train.profile.first > steps) {
    throw UsageError(
        fmt::format("--profile-steps begins at step {}, the training ends with step {}; choose earlier steps",
                    c.train.profile.first, steps));
  }
  if (c.schedule == "cosine" && c.warmup_epochs >= c.train.epochs) {
    c.output.note(
        fmt::format("the learning rate rises over {} epochs and {} are trained, so it stays below {}; see "
                    "--warmup-epochs",
                    c.warmup_epochs, c.train.epochs, c.learning_rate));
  }
}

InferenceOptions validation_options(const TrainCommand& c) {
  return {.crop_frames = c.crops.crop_frames,
          .crops = c.validation_crops,
          .batch_size = c.train.batch_size,
          .precision = c.crops.precision};
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
                  "the end of epoch "
                  "{} it is {:.2g} instead of {:.2g}, and at the end of epoch {} it is {:.2g}; --schedule constant in "
                  "a new run avoids "
                  "this",
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

TrainingData prepare_data(const TrainCommand& c, Dataset& dataset, Device device) {
  const Split split = choose_split(dataset, split_request(c));
  for (const std::string& warning : dataset.warnings) c.output.note(warning);
  const EpochSize epoch{.items = static_cast<int64_t>(split.train.size()),
                        .examples_per_item = c.crops.crops_per_track};
  const auto classes = static_cast<int64_t>(dataset.labels.size());
  rehearse(*make_model(c.model, classes), c.model, c.mel.n_mels, c.crops.crop_frames, epoch, c.train.batch_size);
  return prepare_training_data(dataset, split, c.model, c.crops.crop_frames, c.features.request(c.mel, device),
                               c.output.reporter());
}

// Calibration of the model of the last epoch on the validation tracks, for reports. The temperature is fitted on the
// same tracks, so ece_after is lower than on others.
nlohmann::ordered_json validation_json(Module& model, const ClipStore& validation, const InferenceOptions& inference,
                                       int64_t epoch) {
  const auto examples = labelled_logits(predict_tracks(model, validation, inference), validation);
  const double temperature = fit_temperature(examples).value_or(1);
  return {
      {"epoch", epoch}, {"tracks", examples.size()}, {"calibration", to_json(calibration_at(temperature, examples))}};
}

// Trains and returns the exit code. An exception after the first checkpoint says how to resume.
int train_and_report(const TrainCommand& c, const RunLock& lock, Trainer& trainer, Module& model,
                     const TrainingData& data, const Dataset& dataset) {
  const fs::path run = c.run_folder;
  RunLog log(run / "log.jsonl", trainer.completed_epochs());
  bool without_graphs = false;
  const auto on_epoch = [&](const EpochReport& report) {
    log.append(report);
    c.output.note(fmt::format("  validation: track accuracy {:.3f}, loss {:.3f}{}", *report.validation.accuracy,
                              without_nan_sign(report.validation.loss), report.best ? " (best so far)" : ""));
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
      const auto json = validation_json(model, data.validation, validation_options(c), trainer.completed_epochs());
      write_file_atomically(run / "validation.json", json_text(json));
    }
    return report_outcome(c, trainer, outcome, log, data.failures, dataset.warnings, to_json(data.leaks, dataset));
  } catch (const DeviceError& error) {
    if (!holds_run(run)) throw;
    fail("the device failed: {}; {}", error.what(), resume_hint(c));
  } catch (const WriteError& error) {
    lock.require_held();
    fail("{}; then {}", error.what(), holds_run(run) ? resume_hint(c) : "train again");
  }
}

// As TOML.
std::string absolute_path(const std::string& path) { return toml_text(fs::absolute(path).lexically_normal().string()); }

int train(TrainCommand c, const CLI::App& app) {
  check_usage(c);
  const fs::path run = c.run_folder;
  std::string config = "data = " + absolute_path(c.data) + "\n";
  if (!c.labels.labels.empty()) config += "labels = " + absolute_path(c.labels.labels) + "\n";
  config += config_text(app, c.config_options);
  install_interrupt_handler();
  const Device device = c.device.choose(c.output);
  const Precision precision = precision_on(Stream::of(device), c.precision);
  c.crops.precision = c.train.optimizer.compute_dtype = precision.dtype;
  c.train.optimizer.loss_scaling = precision.dtype == DType::float16;
  kernel::set_tf32(precision.tf32);
  c.train.profile = parse_steps(c.profile_steps);
  c.train.graphs = !c.no_graphs;
  validate(c.mel);
  kernel::set_deterministic(c.deterministic);
  kernel::set_exact_convolution(c.exact_convolution);
  Dataset dataset = load_dataset(c.labels.source(c.data));
  const std::unique_ptr<RunLock> lock = open_run_folder(run, c.resume);
  if (c.resume) require_same_options(run / "config.toml", config, c.config_options);
  const TrainingData data = prepare_data(c, dataset, device);

  manual_seed(c.train.seed);
  const std::unique_ptr<Module> model = make_model(c.model, static_cast<int64_t>(dataset.labels.size()), c.dropout);
  model->move_to(device);
  c.train.optimizer.weight_decay = c.optimizer == "adam" ? Adam::WeightDecay::l2 : Adam::WeightDecay::decoupled;
  const ClipBatches batches(data.training, data.names, c.crops);
  const int64_t steps = Trainer::steps_per_epoch(batches.epoch_size(), c.train.batch_size);
  check_steps(c, steps);
  Trainer trainer(
      *model, batches, cross_entropy_loss(c.label_smoothing), track_validation(data.validation, validation_options(c)),
      c.train, learning_rate_schedule(c, steps),
      {.path = run, .metadata = to_metadata(data.card), .before_writing = [&lock] { lock->require_held(); }});
  if (c.resume) {
    require_same_tracks(run / "split.csv", dataset, data.contents);
    note_change_of_epochs(c, run / "config.toml", steps);
    const Checkpoint checkpoint = read_checkpoint(run);
    require_same_card(checkpoint.content.metadata, data.card, checkpoint.path);
    trainer.resume(checkpoint);
  }
  write_file_atomically(run / "config.toml", config);
  write_split_csv(run / "split.csv", dataset, data.split, data.contents);
  c.output.note(
      fmt::format("{} on {} ({}{}): {} training, {} validation, {} held-out tracks, {} classes, {} steps an epoch",
                  c.model, Stream::of(device).description(), precision.description(),
                  device == Device::cpu ? ", convolutions with " + instruction_set() : "", data.training.size(),
                  data.validation.size(), data.split.test.size(), dataset.labels.size(), steps));
  return train_and_report(c, *lock, trainer, *model, data, dataset);
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
  return {&app, [command, &app] { return train(*command, app); }, command->config_options};
}

}  // namespace melgrad
