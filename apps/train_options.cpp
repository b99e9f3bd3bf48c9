#include "apps/train_options.h"

#include <cinttypes>
#include <cstdio>
#include <filesystem>

#include "apps/arguments.h"
#include "apps/recipes.h"
#include "models/models.h"

namespace melgrad {
namespace {

void add_common_options(CLI::App& app, TrainCommand& c) {
  app.add_option("data", c.data, fmt::format("{}. Can also be given in --config", description_of_data));
  app.add_option("--out", c.run_folder, "Folder of the run, for its checkpoints, log, config and split")
      ->required()
      ->type_name("FOLDER");
  app.add_option("--recipe", c.recipe,
                 "Set of options to start from; others that are given take precedence. best: the defaults. "
                 "customer-cnn, customer-resnet: cnn and resnet18, 80 epochs without augmentation")
      ->check(one_of(recipe_names()));
  app.add_option("--model", c.model, "Network to train. melgrad summary prints its layers")
      ->check(one_of(model_names()));
  app.add_option("--epochs", c.train.epochs, "Number of passes over the training tracks")
      ->check(CLI::Range(1, 1'000'000));
  app.add_option("--batch-size", c.train.batch_size, "Crops per step. Lower it if memory runs out")
      ->check(CLI::Range(1, 65536));
  app.add_option("--accumulate", c.train.accumulate,
                 "Cut each batch into this many parts, compute them one after another and add their gradients: a step "
                 "needs less memory. Batch norm normalises each part by its own statistics")
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
  add_label_options(app, c.labels);
  app.add_option("--validation-fraction", c.split.validation_fraction,
                 "Fraction of the tracks outside the test set to validate on")
      ->check(CLI::Range(0.0, 0.9));
  app.add_option("--test-fraction", c.split.test_fraction,
                 "Fraction of all tracks to hold out as the test set of melgrad evaluate")
      ->check(CLI::Range(0.0, 0.9));
  app.add_option("--fold", c.fold, "Fold to hold out as the test set in cross-validation, counted from 0. -1: none")
      ->check(CLI::Range(-1, 1'000'000));
  app.add_option("--folds", c.split.folds,
                 "Number of folds to make for --fold if the data set has no fold column. 0: make none")
      ->check(CLI::Range(0, 1'000'000));
  app.add_option("--split-files", c.split_files,
                 "Folder with lists of the train, valid and test tracks, such as those of the fault-filtered GTZAN")
      ->type_name("FOLDER");
  app.add_option("--crop-frames", c.crops.crop_frames,
                 "Length of a crop in frames. 256 frames are 5.9 s at the default feature settings. 0: 256, "
                 "or fewer if most training tracks are shorter")
      ->check(zero_or_range(16, 1'000'000));
  app.add_option("--crops-per-track", c.crops.crops_per_track,
                 "Random crops of each training track per epoch. Raise it for long tracks")
      ->check(CLI::Range(1, 1000));
  app.add_option("--validation-crops", c.validation_crops,
                 "Crops of each validation track per epoch. Their logits are averaged")
      ->check(CLI::Range(1, 1000));
}

void add_model_options(CLI::App& app, TrainCommand& c) {
  app.add_option("--dropout", c.dropout, "Dropout probability before the last linear layer")
      ->check(CLI::Range(0.0, 0.99));
  app.add_option("--statistics", c.statistics,
                 "on: average the logits of the network with those of logistic regression on statistics of the "
                 "spectrum over time, which is fitted before the first epoch. auto: on if crops have 128 frames or "
                 "more")
      ->check(one_of({"auto", "on", "off"}));
  app.add_option(
         "--precision", c.precision,
         "Data type of activations and gradients. auto: bf16 if the GPU supports it, otherwise fp32. tf32: fp32, "
         "with products rounded for tensor cores. fp16: with dynamic loss scaling")
      ->check(one_of({"auto", "fp32", "tf32", "bf16", "fp16"}));
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
  app.add_option("--gamma", c.gamma, "Factor for the learning rate at each step of the step schedule")
      ->check(positive_number());
  app.add_option("--weight-decay", c.train.weight_decay,
                 "Weight decay coefficient. Biases and batch norm parameters do not decay")
      ->check(non_negative_number());
  app.add_option("--max-gradient-norm", c.train.optimizer.max_gradient_norm,
                 "Clip the norm of the gradient to this value. 0: no clipping")
      ->check(non_negative_number());
  app.add_option("--label-smoothing", c.label_smoothing,
                 "Fraction of the target probability to spread evenly over all classes")
      ->check(CLI::Range(0.0, 1.0));
  app.add_option("--patience", c.train.patience,
                 "Stop after this many epochs without a lower validation loss. 0: train all epochs")
      ->check(CLI::Range(0, 1'000'000));
}

void add_augmentation_options(CLI::App& app, TrainCommand& c) {
  kernel::SpectralJitter& jitter = c.crops.augmentation.jitter;
  app.add_option("--pitch-shift", jitter.shift, "Largest random shift up or down, in mel bins. 0: no shift")
      ->check(CLI::Range(0, 1000));
  app.add_option("--equalizer", jitter.equalizer, "Standard deviation of a random smooth filter, in dB. 0: no filter")
      ->check(CLI::Range(0.0, 100.0));
  app.add_option("--level", jitter.level, "Largest random change of loudness, in dB. 0: no change")
      ->check(CLI::Range(0.0, 100.0));
  app.add_option("--mixup", c.crops.augmentation.mixup_alpha,
                 "Alpha of mixup: pairs of crops are mixed with a weight drawn from Beta(alpha, alpha). 0: no mixup")
      ->check(non_negative_number());
  app.add_option("--speed-change", c.crops.waveform.speed,
                 "Largest random change of speed, and with it of pitch, as a fraction: 0.1 is 10 %. 0: no change. It "
                 "needs the samples of the training tracks in memory")
      ->check(CLI::Range(0.0, 1.0));
  app.add_option("--gain", c.crops.waveform.gain,
                 "Largest random change of the samples' level, in dB. 0: no change. It needs the samples in memory")
      ->check(CLI::Range(0.0, 60.0));
  app.add_option("--waveform-mixup", c.crops.waveform_mixup_alpha,
                 "Alpha of mixup of the samples, by loudness, before the spectrogram. 0: no mixup. It needs the "
                 "samples in memory")
      ->check(non_negative_number());
  kernel::SpecAugment& spec = c.crops.augmentation.spec_augment;
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
  app.add_option(
         "--checkpoint-seconds", c.train.checkpoint_seconds,
         "Time between two checkpoints, in seconds. An epoch that is the best so far is always written. 0: one after "
         "every epoch")
      ->check(CLI::Range(0.0, 86400.0));
  app.add_flag("--deterministic", c.deterministic,
               "Make results on a GPU bit-identical in every run, at some cost in speed. On the CPU they always are");
  add_exact_convolution_option(app, c.exact_convolution);
  app.add_flag("--no-graphs", c.no_graphs,
               "On a GPU, submit the operations of every step one by one instead of recording a step once as a CUDA "
               "graph. Results are the same. With --profile-steps it is always so");
  app.add_option("--profile-steps", c.profile_steps,
                 "Steps for nsys and ncu to capture, as FIRST:LAST; see docs/profiling.md")
      ->type_name("STEPS");
  add_output_options(app, c.output);
}

// The options that a config file or a resumed run treats in a special way.
ConfigOptions config_options(const CLI::App& app) {
  const auto options = [&app](const std::vector<const char*>& names) {
    std::vector<const CLI::Option*> result;
    for (const char* name : names) result.push_back(app.get_option(name));
    return result;
  };
  return {.file = app.get_option("--config"),
          .run_folder = app.get_option("--out"),
          .resume = app.get_option("--resume"),
          .preset = app.get_option("--recipe"),
          .preset_arguments = recipe_arguments,
          // config_of_run() writes the paths of --labels and --init, because they must be absolute there.
          .of_one_call = options({"--recipe", "--labels", "--init", "--profile-steps", "--json", "--quiet"}),
          .may_differ =
              options({"data", "--epochs", "--patience", "--device", "--threads", "--cache", "--cache-limit",
                       "--no-cache", "--residency", "--strict", "--checkpoint-seconds", "--no-graphs", "--accumulate"}),
          .before = {{app.get_option("--statistics"), "off"}}};
}

}  // namespace

void add_train_options(CLI::App& app, TrainCommand& c) {
  const auto begin_group = [&app](const char* name) { app.option_defaults()->group(name); };
  begin_group("Common");
  add_common_options(app, c);
  begin_group("Data");
  add_data_options(app, c);
  begin_group("Model");
  add_model_options(app, c);
  begin_group("Fine-tuning");
  add_fine_tuning_options(app, c.fine_tuning);
  begin_group("Optimization");
  add_optimization_options(app, c);
  begin_group("Augmentation");
  add_augmentation_options(app, c);
  begin_group("Features");
  add_mel_options(app, c.mel);
  add_feature_options(app, c.features);
  add_residency_option(app, c.features);
  app.get_option("--strict")
      ->description(
          "Stop at a file that cannot be read instead of leaving it out, and if a recording is on two sides of the "
          "split");
  begin_group("Run");
  add_run_options(app, c);
  c.config_options = config_options(app);
}

void check_usage(const TrainCommand& c) {
  if (c.data.empty()) {
    throw UsageError("no data set was given; name its folder or manifest, as in: melgrad train music --out run");
  }
  if (c.fold < 0 && c.split.folds > 0) throw UsageError("--folds needs --fold, the number of the fold to hold out");
  if (c.fold >= 0 && c.split.test_fraction > 0) throw UsageError("--fold holds out a fold; leave out --test-fraction");
  if (c.fold >= 0 && !c.split_files.empty()) throw UsageError("--fold holds out a fold; leave out --split-files");
  require_crop_options(c.longest_crop(), c.mel.n_mels);
}

namespace {

// As TOML.
std::string absolute_path(const std::string& path) {
  return toml_text(std::filesystem::absolute(path).lexically_normal().string());
}

}  // namespace

std::string config_of_run(const TrainCommand& c, const CLI::App& app) {
  std::string config = "data = " + absolute_path(c.data) + "\n";
  if (!c.labels.labels.empty()) config += "labels = " + absolute_path(c.labels.labels) + "\n";
  if (!c.fine_tuning.init.empty()) config += "init = " + absolute_path(c.fine_tuning.init) + "\n";
  return config + config_text(app, c.config_options);
}

SplitRequest split_request(const TrainCommand& c) {
  SplitRequest request{.options = c.split, .split_files = c.split_files, .split_csv = {}};
  if (c.resume) request.split_csv = std::filesystem::path(c.run_folder) / "split.csv";
  if (c.fold >= 0) request.options.fold = c.fold;
  request.options.seed = c.train.seed;
  return request;
}

Schedule learning_rate_schedule(const TrainCommand& c, int64_t steps_per_epoch) {
  if (c.schedule == "constant") return constant_schedule(c.learning_rate);
  if (c.schedule == "step") return step_schedule(c.learning_rate, c.step_epochs * steps_per_epoch, c.gamma);
  return warmup_cosine_schedule(c.learning_rate, c.warmup_epochs * steps_per_epoch, c.train.epochs * steps_per_epoch);
}

Precision precision_on(const Stream& stream, const std::string& name) {
  if (name == "auto") return precision_on(stream, stream.has_bfloat16() ? "bf16" : "fp32");
  const Precision precision{.name = name,
                            .dtype = name == "bf16"   ? DType::bfloat16
                                     : name == "fp16" ? DType::float16
                                                      : DType::float32,
                            .tf32 = name == "tf32"};
  // TF32 came with the same GPUs as bfloat16; all GPUs that we support have float16.
  const bool supported = name == "fp32" || (name == "fp16" ? stream.device() == Device::cuda : stream.has_bfloat16());
  if (!supported)
    throw UsageError(fmt::format("{} does not support {}; use --precision fp32", stream.description(), name));
  return precision;
}

StepRange parse_steps(const std::string& text) {
  StepRange steps;
  if (text.empty()) return steps;
  int length = 0;
  const int values = std::sscanf(text.c_str(), "%" SCNd64 ":%" SCNd64 "%n", &steps.first, &steps.last, &length);
  if (values != 2 || static_cast<size_t>(length) != text.size() || steps.first < 1 || steps.last < steps.first) {
    throw UsageError(
        fmt::format("--profile-steps is {}; it must be FIRST:LAST with 1 <= FIRST <= LAST, such as 20:29", text));
  }
  return steps;
}

}  // namespace melgrad
