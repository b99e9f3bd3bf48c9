// melgrad train DATA --out RUN
#include <cinttypes>
#include <cstdio>
#include <memory>

#include "apps/arguments.h"
#include "apps/command.h"
#include "apps/config.h"
#include "apps/features.h"
#include "apps/leaks.h"
#include "framework/dataset/split.h"
#include "framework/dataset/split_csv.h"
#include "framework/dataset/split_files.h"
#include "framework/io/atomic_file.h"
#include "framework/random.h"
#include "framework/terminal/interrupt.h"
#include "framework/terminal/text.h"
#include "framework/training/run_lock.h"
#include "framework/training/run_log.h"
#include "framework/training/trainer.h"
#include "kernels/device/deterministic.h"
#include "kernels/device/device_error.h"
#include "models/models.h"

namespace melgrad {
namespace {

namespace fs = std::filesystem;

struct TrainCommand {
  OutputOptions output;
  DeviceOptions device;
  FeatureOptions features;
  MelSettings mel;
  SplitOptions split;
  TrainOptions train;
  ConfigOptions config_options;
  std::string data, run_folder, config, split_files, model = "resnet_small", precision = "auto", profile_steps;
  std::string optimizer = "adamw", schedule = "cosine";
  int fold = -1;
  bool resume = false, deterministic = false;
  float dropout = 0.3f, learning_rate = 1e-3f, gamma = 0.1f;
  int64_t crop_frames = 256, warmup_epochs = 5, step_epochs = 30;
};

void add_common_options(CLI::App& app, TrainCommand& c) {
  app.add_option("data", c.data, fmt::format("{}. May come from --config instead", description_of_data));
  app.add_option("--out", c.run_folder, "Folder of the run, for its checkpoints, log, config and split")
      ->required()
      ->type_name("FOLDER");
  app.add_option("--model", c.model, "Network to train. melgrad summary prints its layers")
      ->check(one_of(model_names()));
  app.add_option("--epochs", c.train.epochs, "Number of passes over the training tracks")
      ->check(CLI::Range(1, 1'000'000));
  app.add_option("--batch-size", c.train.batch_size, "Crops per step. Lower it if memory runs out")
      ->check(CLI::Range(1, 65536));
  app.add_option("--learning-rate", c.learning_rate, "Peak learning rate. Lower it if the loss diverges")
      ->check(positive_number());
  app.add_option("--seed", c.train.seed, "Seed of the split, the initial weights and all randomness in training")
      ->check(whole_number());
  app.add_option("--config", c.config, "Read options from this TOML file. The command line takes precedence")
      ->type_name("FILE");
  app.add_flag("--resume", c.resume, "Resume the run in --out from its last checkpoint, with the options of that run");
  add_device_options(app, c.device);
}

void add_data_options(CLI::App& app, TrainCommand& c) {
  app.add_option("--validation-fraction", c.split.validation_fraction,
                 "Fraction of the tracks outside the test set to validate on")
      ->check(CLI::Range(0.0, 0.9));
  app.add_option("--test-fraction", c.split.test_fraction,
                 "Fraction of all tracks to hold out as the test set of melgrad evaluate")
      ->check(CLI::Range(0.0, 0.9));
  app.add_option("--fold", c.fold, "Fold to hold out as the test set in cross-validation, counted from 0. -1: none")
      ->check(CLI::Range(-1, 1'000'000));
  app.add_option("--folds", c.split.folds,
                 "Number of folds to make for --fold if the data set has no fold column. 0: none are made")
      ->check(CLI::Range(0, 1'000'000));
  app.add_option("--split-files", c.split_files,
                 "Folder with lists of the train, valid and test tracks, such as those of the fault-filtered GTZAN")
      ->type_name("FOLDER");
  app.add_option("--crop-frames", c.crop_frames,
                 "Length of a crop in frames. 256 frames are 5.9 s at the default feature settings")
      ->check(CLI::Range(16, 1'000'000));
  app.add_option("--crops-per-track", c.train.crops_per_track,
                 "Random crops of each training track per epoch. Raise it for long tracks")
      ->check(CLI::Range(1, 1000));
  app.add_option("--validation-crops", c.train.validation_crops,
                 "Crops of each validation track per epoch. Their predictions are averaged")
      ->check(CLI::Range(1, 1000));
}

void add_model_options(CLI::App& app, TrainCommand& c) {
  app.add_option("--dropout", c.dropout, "Dropout probability before the last linear layer")
      ->check(CLI::Range(0.0, 0.99));
  app.add_option("--precision", c.precision,
                 "Data type of activations and gradients. auto: bf16 if the GPU supports it, otherwise fp32")
      ->check(one_of({"auto", "fp32", "bf16"}));
}

void add_optimization_options(CLI::App& app, TrainCommand& c) {
  app.add_option("--optimizer", c.optimizer, "adamw: decoupled weight decay. adam: weight decay as an L2 gradient term")
      ->check(one_of({"adamw", "adam"}));
  app.add_option("--schedule", c.schedule,
                 "Learning rate over time. cosine: linear warm-up, then half a cosine to 0. step: multiply by --gamma "
                 "every --step-epochs epochs")
      ->check(one_of({"cosine", "constant", "step"}));
  app.add_option("--warmup-epochs", c.warmup_epochs, "Epochs of linear warm-up of the cosine schedule")
      ->check(CLI::Range(0, 1'000'000));
  app.add_option("--step-epochs", c.step_epochs, "Epochs between two steps of the step schedule")
      ->check(CLI::Range(1, 1'000'000));
  app.add_option("--gamma", c.gamma, "Factor on the learning rate at each step of the step schedule")
      ->check(positive_number());
  app.add_option("--weight-decay", c.train.weight_decay,
                 "Weight decay coefficient. Biases and batch norm parameters do not decay")
      ->check(non_negative_number());
  app.add_option("--max-gradient-norm", c.train.optimizer.max_gradient_norm,
                 "Clip the norm of the gradient to this value. 0: no clipping")
      ->check(non_negative_number());
  app.add_option("--label-smoothing", c.train.label_smoothing,
                 "Fraction of the target probability to spread evenly over all classes")
      ->check(CLI::Range(0.0, 1.0));
  app.add_option("--patience", c.train.patience,
                 "Stop after this many epochs without a lower validation loss. 0: train all epochs")
      ->check(CLI::Range(0, 1'000'000));
}

void add_augmentation_options(CLI::App& app, TrainCommand& c) {
  kernel::SpectralJitter& jitter = c.train.augmentation.jitter;
  app.add_option("--pitch-shift", jitter.shift, "Largest random shift up or down, in mel bins. 0: no shift")
      ->check(CLI::Range(0, 1000));
  app.add_option("--equalizer", jitter.equalizer, "Standard deviation of a random smooth filter, in dB. 0: no filter")
      ->check(CLI::Range(0.0, 100.0));
  app.add_option("--level", jitter.level, "Largest random change of loudness, in dB. 0: no change")
      ->check(CLI::Range(0.0, 100.0));
  app.add_option("--mixup", c.train.augmentation.mixup_alpha,
                 "Alpha of mixup: pairs of crops are mixed with a weight drawn from Beta(alpha, alpha). 0: no mixup")
      ->check(non_negative_number());
  kernel::SpecAugment& spec = c.train.augmentation.spec_augment;
  app.add_option("--frequency-masks", spec.frequency_masks, "SpecAugment: number of frequency masks per crop")
      ->check(CLI::Range(0, 100));
  app.add_option("--frequency-mask-width", spec.frequency_width,
                 "SpecAugment: largest width of a frequency mask, in mel bins")
      ->check(CLI::Range(0, 1'000'000));
  app.add_option("--time-masks", spec.time_masks, "SpecAugment: number of time masks per crop")
      ->check(CLI::Range(0, 100));
  app.add_option("--time-mask-width", spec.time_width, "SpecAugment: largest width of a time mask, in frames")
      ->check(CLI::Range(0, 1'000'000));
}

void add_run_options(CLI::App& app, TrainCommand& c) {
  app.add_option("--checkpoint-seconds", c.train.checkpoint_seconds,
                 "Write a checkpoint at most this often, in seconds. 0: after every epoch")
      ->check(CLI::Range(0.0, 86400.0));
  app.add_flag("--deterministic", c.deterministic,
               "Give the same bits in every run on a GPU, at some cost in speed. The CPU always does");
  app.add_option("--profile-steps", c.profile_steps,
                 "Steps for nsys and ncu to capture, as FIRST:LAST; see docs/profiling.md")
      ->type_name("STEPS");
  add_output_options(app, c.output);
}

// How the config file and a resumed run treat the options.
ConfigOptions config_options(const CLI::App& app) {
  const auto options = [&app](const std::vector<const char*>& names) {
    std::vector<const CLI::Option*> result;
    for (const char* name : names) result.push_back(app.get_option(name));
    return result;
  };
  return {.file = app.get_option("--config"),
          .run_folder = app.get_option("--out"),
          .resume = app.get_option("--resume"),
          .of_one_call = options({"--profile-steps", "--json", "--quiet"}),
          .may_differ = options({"data", "--epochs", "--patience", "--device", "--threads", "--cache", "--no-cache",
                                 "--strict", "--checkpoint-seconds"})};
}

Schedule make_schedule(const TrainCommand& c, int64_t steps_per_epoch) {
  if (c.schedule == "constant") return constant_schedule(c.learning_rate);
  if (c.schedule == "step") return step_schedule(c.learning_rate, c.step_epochs * steps_per_epoch, c.gamma);
  return warmup_cosine_schedule(c.learning_rate, c.warmup_epochs * steps_per_epoch, c.train.epochs * steps_per_epoch);
}

// Makes the run's folder this process's own and clears it of what a killed one was writing.
std::unique_ptr<RunLock> take_run_folder(const TrainCommand& c) {
  const fs::path run = c.run_folder;
  const auto has_run = [&run] { return fs::exists(run / "training.safetensors"); };
  const auto check_resume = [&] {
    if (!has_run() && c.resume)
      fail("{} holds no training.safetensors to resume from; leave out --resume", c.run_folder);
  };
  check_resume();
  make_folders(run);
  auto lock = std::make_unique<RunLock>(run);
  check_resume();
  if (has_run() && !c.resume) {
    fail("{} already holds a run; add --resume to go on with it, or choose another --out", c.run_folder);
  }
  for (const auto& entry : fs::directory_iterator(run)) {
    std::error_code ignored;
    if (entry.path().extension() == ".tmp") fs::remove(entry.path(), ignored);
  }
  return lock;
}

std::string how_to_go_on(const TrainCommand& c) {
  return fmt::format("go on with: melgrad train {} --out {} --resume", shell_quoted(c.data),
                     shell_quoted(c.run_folder));
}

void check_usage(const TrainCommand& c) {
  if (c.data.empty()) {
    throw UsageError("no data set was given; name its folder or manifest, as in: melgrad train music --out run");
  }
  if (c.fold < 0 && c.split.folds > 0)
    throw UsageError("--folds says how many there are; --fold which one to hold out");
  if (c.fold >= 0 && c.split.test_fraction > 0) throw UsageError("--fold holds out a fold; leave out --test-fraction");
  if (c.fold >= 0 && !c.split_files.empty()) throw UsageError("--fold holds out a fold; leave out --split-files");
  require_crop_options(c.crop_frames, c.mel.n_mels);
}

Split choose_split(TrainCommand& c, Dataset& dataset) {
  if (c.resume) return read_split_csv(fs::path(c.run_folder) / "split.csv", dataset);
  if (!c.split_files.empty()) apply_split_files(dataset, c.split_files);
  const auto has_split = [](const Track& track) { return !track.split.empty(); };
  if (c.split.test_fraction > 0 && std::any_of(dataset.tracks.begin(), dataset.tracks.end(), has_split)) {
    throw UsageError(fmt::format("{} brings its own split; leave out --test-fraction", c.data));
  }
  if (c.fold >= 0) c.split.fold = c.fold;
  c.split.seed = c.train.seed;
  const Split split = make_split(dataset, c.split);
  if (split.validation.empty()) fail("no validation tracks; give a --validation-fraction above 0");
  return split;
}

// Runs the smallest batch of an epoch through a model of this kind, so that sizes that do not fit are told before hours
// of features.
void rehearse(const TrainCommand& c, int64_t classes, int64_t tracks) {
  const int64_t examples = tracks * c.train.crops_per_track, rest = examples % c.train.batch_size;
  const int64_t smallest = rest > 0 ? rest : std::min(examples, c.train.batch_size);
  try {
    const NoGrad no_grad;
    (*make_model(c.model, classes))(Tensor::zeros({smallest, c.mel.n_mels, c.crop_frames, 1}));
  } catch (const OutOfMemory&) {
    throw;
  } catch (const DeviceError&) {
    throw;
  } catch (const Error& error) {
    throw UsageError(fmt::format(
        "{} cannot take batches of {} crops of {} mel bins x {} frames: {}; raise --batch-size, --n-mels or "
        "--crop-frames",
        c.model, smallest, c.mel.n_mels, c.crop_frames, error.what()));
  }
}

DType choose_precision(const std::string& precision, const Stream& stream) {
  if (precision == "auto") return stream.has_bfloat16() ? DType::bfloat16 : DType::float32;
  if (precision == "fp32") return DType::float32;
  if (!stream.has_bfloat16())
    throw UsageError(fmt::format("no bf16 on {}; use --precision fp32", stream.description()));
  return DType::bfloat16;
}

StepRange parse_steps(const std::string& text) {
  StepRange steps;
  if (text.empty()) return steps;
  int length = 0;
  const int values = std::sscanf(text.c_str(), "%" SCNd64 ":%" SCNd64 "%n", &steps.first, &steps.last, &length);
  if (values != 2 || static_cast<size_t>(length) != text.size() || steps.first < 1 || steps.last < steps.first) {
    throw UsageError(fmt::format("--profile-steps is {}; it takes A:B with 1 <= A <= B, such as 20:29", text));
  }
  return steps;
}

// What the options ask for and a training of so few steps does not come to.
void check_schedule(const TrainCommand& c, int64_t steps_per_epoch) {
  const int64_t steps = c.train.epochs * steps_per_epoch;
  if (c.train.profile.first > steps) {
    throw UsageError(
        fmt::format("--profile-steps begins at step {}, the training ends with step {}", c.train.profile.first, steps));
  }
  if (c.schedule == "cosine" && c.warmup_epochs >= c.train.epochs) {
    c.output.note(
        fmt::format("the learning rate rises over {} epochs and {} are trained, so it stays below {}; see "
                    "--warmup-epochs",
                    c.warmup_epochs, c.train.epochs, c.learning_rate));
  }
}

// A label that cannot be learned, or not be judged.
void check_labels(const Dataset& dataset, const Split& planned, const LoadedTracks& training) {
  std::vector<int64_t> trained(dataset.labels.size()), present(dataset.labels.size());
  for (const int label : training.labels(dataset)) ++trained[static_cast<size_t>(label)];
  for (const auto* side : {&planned.train, &planned.validation, &planned.test}) {
    for (const size_t track : *side) ++present[static_cast<size_t>(dataset.tracks[track].label)];
  }
  for (size_t label = 0; label < trained.size(); ++label) {
    if (trained[label] == 0) {
      fail("{}: no track of '{}' is left to train on; add tracks, or leave the label out", dataset.source.string(),
           dataset.labels[label]);
    }
    if (present[label] == 1) {
      complain(fmt::format("{}: '{}' has one track, which trains: nothing validates or tests it; add tracks",
                           dataset.source.string(), dataset.labels[label]));
    }
  }
}

int report_outcome(const TrainCommand& c, const Trainer& trainer, Trainer::Outcome outcome, const RunLog& log,
                   const std::vector<std::string>& failed, const nlohmann::ordered_json& leaks) {
  const fs::path run = c.run_folder;
  if (outcome == Trainer::Outcome::interrupted) {
    throw Interrupted(fmt::format("interrupted in epoch {}; {}", trainer.epochs_done() + 1, how_to_go_on(c)));
  }
  nlohmann::ordered_json result{{"run", c.run_folder},
                                {"outcome", outcome == Trainer::Outcome::finished ? "finished" : "stopped_early"},
                                {"epochs", trainer.epochs_done()},
                                {"best_epoch", trainer.best_epoch()},
                                {"failed_files", failed},
                                {"leaks", leaks}};
  const auto* last = log.line_of(trainer.epochs_done());
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
  const int64_t epochs = trainer.epochs_done();
  fmt::print("{} epoch{}, {:.1f} s of training; log: {}\n", epochs, epochs == 1 ? "" : "s", seconds,
             (run / "log.jsonl").string());
  print_model("last.safetensors", "the last epoch, what evaluate and predict take", last);
  print_model("best.safetensors", fmt::format("the best epoch, {}", trainer.best_epoch()), best);
  return exit_success;
}

int train(TrainCommand c, const CLI::App& app) {
  check_usage(c);
  const fs::path run = c.run_folder;
  const std::string config = "data = " + toml_text(fs::absolute(c.data).lexically_normal().string()) + "\n" +
                             config_text(app, c.config_options);
  install_interrupt_handler();
  const Device device = c.device.choose(c.output);
  c.train.precision = choose_precision(c.precision, Stream::of(device));
  c.train.profile = parse_steps(c.profile_steps);
  validate(c.mel);
  kernel::set_deterministic(c.deterministic);
  Dataset dataset = load_dataset(c.data);
  const std::unique_ptr<RunLock> lock = take_run_folder(c);
  if (c.resume) require_same_options(run / "config.toml", config, c.config_options);
  Split split = choose_split(c, dataset);
  for (const std::string& warning : dataset.warnings) c.output.note(warning);
  const auto classes = static_cast<int64_t>(dataset.labels.size());
  rehearse(c, classes, static_cast<int64_t>(split.train.size()));

  const Split planned = split;
  const LoadedTracks training =
      load_tracks(dataset, split.train, c.mel, c.features, c.output, device, "training features");
  const LoadedTracks validating =
      load_tracks(dataset, split.validation, c.mel, c.features, c.output, device, "validation features");
  check_labels(dataset, planned, training);
  split.train = training.tracks;
  split.validation = validating.tracks;
  std::vector<std::string> failed = training.failures;
  failed.insert(failed.end(), validating.failures.begin(), validating.failures.end());
  const std::vector<Leak> leaks =
      warn_of_leaks(dataset, split, training, validating, c.mel, c.features, c.output, device);

  ModelCard card{.model = c.model,
                 .labels = dataset.labels,
                 .mel = c.mel,
                 .standardisation = standardisation_of(training.clips),
                 .crop_frames = c.crop_frames};
  const ClipStore train_clips(training.clips, training.labels(dataset), classes, card.standardisation, device);
  const ClipStore validation_clips(validating.clips, validating.labels(dataset), classes, card.standardisation, device);
  const std::vector<std::string> names = training.names(dataset);

  manual_seed(c.train.seed);
  const std::unique_ptr<Module> model = make_model(c.model, classes, c.dropout);
  model->move_to(device);
  c.train.optimizer.weight_decay = c.optimizer == "adam" ? Adam::WeightDecay::l2 : Adam::WeightDecay::decoupled;
  const int64_t steps = Trainer::steps_per_epoch(train_clips.size(), c.train);
  check_schedule(c, steps);
  Trainer trainer(*model, {train_clips, names, validation_clips}, card, c.train, make_schedule(c, steps), run,
                  [&lock] { lock->require_held(); });
  if (c.resume) trainer.resume();

  write_file_atomically(run / "config.toml", config);
  write_split_csv(run / "split.csv", dataset, split);
  RunLog log(run / "log.jsonl", trainer.epochs_done());

  c.output.note(
      fmt::format("{} on {} ({}): {} training, {} validation, {} held-out tracks, {} classes, {} steps an epoch",
                  c.model, Stream::of(device).description(), c.train.precision == DType::bfloat16 ? "bf16" : "fp32",
                  train_clips.size(), validation_clips.size(), split.test.size(), classes, steps));
  const auto on_epoch = [&](const EpochReport& report) {
    log.append(report);
    c.output.note(fmt::format("  validation: track accuracy {:.3f}, loss {:.3f}{}", report.validation_track_accuracy,
                              report.validation_loss, report.best ? " (best so far)" : ""));
  };
  try {
    return report_outcome(c, trainer, trainer.run(c.output.progress(), on_epoch), log, failed, to_json(leaks, dataset));
  } catch (const DeviceError& error) {
    if (!fs::exists(run / "training.safetensors")) throw;
    fail("the device failed: {}; {}", error.what(), how_to_go_on(c));
  } catch (const WriteError& error) {
    lock->require_held();
    fail("{}; then {}", error.what(), fs::exists(run / "training.safetensors") ? how_to_go_on(c) : "train again");
  }
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
  const auto begin_group = [&app](const char* name) { app.option_defaults()->group(name); };
  begin_group("Common");
  add_common_options(app, *command);
  begin_group("Data");
  add_data_options(app, *command);
  begin_group("Model");
  add_model_options(app, *command);
  begin_group("Optimization");
  add_optimization_options(app, *command);
  begin_group("Augmentation");
  add_augmentation_options(app, *command);
  begin_group("Features");
  add_mel_options(app, command->mel);
  add_feature_options(app, command->features);
  begin_group("Run");
  add_run_options(app, *command);
  command->config_options = config_options(app);
  return {&app, [command, &app] { return train(*command, app); }, command->config_options};
}

}  // namespace melgrad
