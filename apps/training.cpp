#include "apps/training.h"

#include <utility>

#include "framework/dataset/rehearsal.h"
#include "framework/dataset/track_validation.h"
#include "framework/dataset/waveform_batches.h"
#include "framework/random.h"
#include "kernels/convolution/exact.h"
#include "kernels/device/deterministic.h"
#include "kernels/device/hardware.h"
#include "kernels/device/tf32.h"
#include "models/models.h"
#include "models/statistics_classifier.h"

namespace melgrad {
namespace {

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

// Also puts the automatic length of a crop into the options.
TrainingData prepare_data(TrainCommand& c, Dataset& dataset, Device device) {
  const Split split = choose_split(dataset, split_request(c));
  for (const std::string& warning : dataset.warnings) c.output.note(warning);
  const EpochSize epoch{.items = static_cast<int64_t>(split.train.size()),
                        .examples_per_item = c.crops.crops_per_track};
  const auto rehearse_crops = [&](int64_t frames) {
    const auto classes = static_cast<int64_t>(dataset.labels.size());
    rehearse(*make_model(c.model, classes), c.model, c.mel.n_mels, frames, epoch, c.train.batch_size,
             c.train.accumulate * c.train.ranks->size());
  };
  rehearse_crops(c.longest_crop());
  TrainingData data =
      prepare_training_data(dataset, split, c.model, c.crops.crop_frames, c.features.request(c.mel, device),
                            c.output.reporter(), c.crops.needs_waveforms(), residency_of(c.features.residency));
  data.card.statistics = c.has_statistics(data.card.crop_frames);
  if (c.crops.crop_frames == 0) {
    c.crops.crop_frames = data.card.crop_frames;
    rehearse_crops(c.crops.crop_frames);
  }
  return data;
}

std::unique_ptr<BatchSource> make_batches(const CropOptions& crops, const TrainingData& data) {
  if (!data.recordings) return std::make_unique<ClipBatches>(*data.training, data.names, crops);
  return std::make_unique<WaveformBatches>(*data.recordings, data.names, data.card.mel, data.card.standardisation,
                                           crops);
}

std::unique_ptr<Module> initial_model(const TrainingSetup& setup, const TrainingData& data) {
  const TrainCommand& c = setup.command;
  manual_seed(c.train.seed);
  std::unique_ptr<Module> model =
      make_model(c.model, static_cast<int64_t>(setup.dataset.labels.size()), c.dropout, data.card.statistics);
  if (setup.pretrained) setup.pretrained->load_into(*model, setup.dataset.labels);
  model->move_to(setup.device);
  freeze_stages(c.fine_tuning, *model, c.output);
  // A run that is resumed has the weights in its checkpoint.
  if (!c.resume) fit_statistics(*model, *make_batches(unchanged_crops(c.crops.crop_frames), data), c.train.seed);
  return model;
}

RunFolder with_metadata(RunFolder folder, const ModelCard& card) {
  folder.metadata = to_metadata(card);
  return folder;
}

InferenceOptions validation_options(const TrainCommand& c) {
  return {.crop_frames = c.crops.crop_frames,
          .crops = c.validation_crops,
          .batch_size = c.train.batch_size,
          .precision = c.crops.precision};
}

}  // namespace

TrainingSetup set_up_training(TrainCommand c) {
  check_usage(c);
  const Device device = c.device.choose(c.output);
  const Precision precision = precision_on(Stream::of(device), c.precision);
  c.crops.precision = c.train.optimizer.compute_dtype = precision.dtype;
  c.train.optimizer.loss_scaling = precision.dtype == DType::float16;
  c.train.optimizer.weight_decay = c.optimizer == "adam" ? Adam::WeightDecay::l2 : Adam::WeightDecay::decoupled;
  kernel::set_tf32(precision.tf32);
  c.train.profile = parse_steps(c.profile_steps);
  c.train.graphs = !c.no_graphs;
  validate(c.mel);
  kernel::set_deterministic(c.deterministic);
  kernel::set_exact_convolution(c.exact_convolution);
  Dataset dataset = load_dataset(c.labels.source(c.data));
  FineTuning tuning = prepare_fine_tuning(c.fine_tuning, c.resume, c.model, dataset.labels, c.mel, c.output);
  c.train.learning_rate_factors = std::move(tuning.learning_rate_factors);
  return {.command = std::move(c),
          .device = device,
          .precision = precision,
          .dataset = std::move(dataset),
          .pretrained = std::move(tuning.pretrained)};
}

Training::Training(TrainingSetup& setup, RunFolder folder)
    : data(prepare_data(setup.command, setup.dataset, setup.device)),
      model(initial_model(setup, data)),
      batches(make_batches(setup.command.crops, data)),
      steps_per_epoch(Trainer::steps_per_epoch(batches->epoch_size(), setup.command.train.batch_size)),
      trainer(*model, *batches, cross_entropy_loss(setup.command.label_smoothing),
              track_validation(*data.validation, validation_options(setup.command), &last_validation),
              setup.command.train, learning_rate_schedule(setup.command, steps_per_epoch),
              with_metadata(std::move(folder), data.card)),
      setup_(setup) {
  check_steps(setup.command, steps_per_epoch);
}

const std::vector<TrackPrediction>& Training::validation_predictions() {
  if (last_validation.empty())
    last_validation = predict_tracks(*model, *data.validation, validation_options(setup_.command));
  return last_validation;
}

void Training::note_start() const {
  const TrainCommand& c = setup_.command;
  const int ranks = c.train.ranks->size();
  c.output.note(fmt::format(
      "{} on {}{} ({}{}): {} training, {} validation, {} held-out tracks, {} classes, {} step{} an epoch, crops of {} "
      "frames",
      c.model, ranks > 1 ? fmt::format("{} processes on ", ranks) : "", Stream::of(setup_.device).description(),
      setup_.precision.description(), setup_.device == Device::cpu ? ", convolutions with " + instruction_set() : "",
      data.split.train.size(), data.validation->size(), data.split.test.size(), setup_.dataset.labels.size(),
      steps_per_epoch, steps_per_epoch == 1 ? "" : "s", c.crops.crop_frames));
  if (data.training)
    c.output.note(
        residency_note(data.training->residency(), data.training->bytes(), "training features", setup_.device));
}

}  // namespace melgrad
