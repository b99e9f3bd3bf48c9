#include "framework/training/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>

#include "framework/ops.h"
#include "framework/shuffle.h"
#include "framework/terminal/interrupt.h"
#include "framework/training/state_dict.h"

namespace melgrad {
namespace {

using nlohmann::json;

constexpr const char* optimizer_prefix = "optimizer.";
constexpr uint64_t first_epoch_draw = uint64_t{1} << 62;
constexpr const char* training_state_file = "training.safetensors";

Adam::Options with_precision(const TrainOptions& options) {
  Adam::Options result = options.optimizer;
  result.bfloat16_copies = options.precision == DType::bfloat16;
  return result;
}

double mean_log_loss(std::span<const TrackPrediction> predictions, const ClipStore& clips) {
  double sum = 0;
  for (size_t i = 0; i < predictions.size(); ++i) {
    const auto label = static_cast<size_t>(clips.label(static_cast<int64_t>(i)));
    const auto probability = static_cast<double>(predictions[i].probabilities[label]);
    sum -= std::log(probability < 1e-12 ? 1e-12 : probability);  // unlike std::max, this lets a NaN through
  }
  return sum / static_cast<double>(predictions.size());
}

double track_accuracy(std::span<const TrackPrediction> predictions, const ClipStore& clips) {
  int64_t correct = 0;
  for (size_t i = 0; i < predictions.size(); ++i)
    correct += predictions[i].label() == clips.label(static_cast<int64_t>(i));
  return static_cast<double>(correct) / static_cast<double>(predictions.size());
}

// A run's labels are its classes, so the data set must still have them and no others.
void require_same_labels(const std::vector<std::string>& run, const std::vector<std::string>& data,
                         const std::string& path) {
  if (run == data) return;
  const auto first_only_in = [](const std::vector<std::string>& these, const std::vector<std::string>& those) {
    const auto found = std::ranges::find_if(
        these, [&](const std::string& label) { return std::ranges::find(those, label) == those.end(); });
    return found == these.end() ? "" : fmt::format("'{}'", *found);
  };
  const std::string gone = first_only_in(run, data), added = first_only_in(data, run);
  std::string difference = gone.empty() ? "" : fmt::format("lacks the label {}", gone);
  if (!added.empty()) difference += fmt::format("{}has the new label {}", gone.empty() ? "" : " and ", added);
  if (difference.empty()) difference = "has its labels in another order";
  fail("{} was trained with other labels: the data set now {}; give its tracks the labels they had, or train anew",
       path, difference);
}

}  // namespace

Trainer::Trainer(Module& model, TrainingData data, const ModelCard& card, const TrainOptions& options,
                 Schedule schedule, std::filesystem::path run_folder, std::function<void()> before_writing)
    : model_(model),
      data_(data),
      card_(card),
      options_(options),
      schedule_(std::move(schedule)),
      run_folder_(std::move(run_folder)),
      before_writing_(std::move(before_writing)),
      stream_(model.parameters()[0].tensor.stream()),
      optimizer_(decay_groups(model.parameters(), options.weight_decay), with_precision(options)),
      metrics_(1, stream_.device()),
      latest_{.metrics = stream_.make_readback(sizeof(kernel::BatchMetrics))},
      before_{.metrics = stream_.make_readback(sizeof(kernel::BatchMetrics))} {}

int64_t Trainer::steps_per_epoch(int64_t tracks, const TrainOptions& options) {
  return (tracks * options.crops_per_track + options.batch_size - 1) / options.batch_size;
}

int64_t Trainer::global_step() const {
  return state_.epoch * steps_per_epoch(data_.train.size(), options_) + state_.step;
}

Trainer::Outcome Trainer::run(ProgressMode progress, const std::function<void(const EpochReport&)>& on_epoch) {
  try {
    return run_epochs(progress, on_epoch);
  } catch (const OutOfMemory& error) {
    fail("{}; {}", error.what(), advice_for_lack_of_memory(error.capacity));
  }
}

Trainer::Outcome Trainer::run_epochs(ProgressMode progress, const std::function<void(const EpochReport&)>& on_epoch) {
  if (global_step() == 0) save_training_state();
  while (state_.epoch < options_.epochs) {
    if (options_.patience > 0 && state_.epoch - state_.best_epoch >= options_.patience) return Outcome::stopped_early;
    EpochReport report;
    if (!train_epoch(progress, report)) {
      save_training_state();
      return Outcome::interrupted;
    }
    validate(report);
    if (report.best) save_model("best.safetensors");
    save_model("last.safetensors");
    on_epoch(report);
    save_training_state();
  }
  return Outcome::finished;
}

bool Trainer::train_epoch(ProgressMode mode, EpochReport& report) {
  model_.train();
  const std::vector<int64_t> order = epoch_order();
  const auto batch_size = static_cast<size_t>(options_.batch_size);
  Progress progress(fmt::format("epoch {}/{}", state_.epoch + 1, options_.epochs), static_cast<int64_t>(order.size()),
                    options_.crops_per_track == 1 ? "tracks" : "crops", mode);
  const auto start = std::chrono::steady_clock::now();
  const double examples_before = state_.examples;
  const auto show = [&] {
    if (state_.examples == 0) return;
    report.train_loss = state_.loss_sum / state_.examples;
    report.train_accuracy = state_.correct / state_.examples;
    progress.update(static_cast<int64_t>(state_.examples),
                    fmt::format("loss {:.3f}, accuracy {:.3f}", report.train_loss, report.train_accuracy));
  };
  latest_.picks = before_.picks = {};
  auto first = static_cast<size_t>(state_.step) * batch_size;
  for (; first < order.size() && !interrupted(); first += batch_size) {
    train_step(std::span(order).subspan(first, std::min(batch_size, order.size() - first)));
    collect(before_);
    std::swap(latest_, before_);
    show();
  }
  collect(before_);
  show();
  if (first < order.size()) return false;
  progress.finish();
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  report.tracks_per_second = (state_.examples - examples_before) / static_cast<double>(options_.crops_per_track) /
                             std::max(report.seconds, 1e-9);
  report.learning_rate = static_cast<double>(schedule_(global_step() - 1));
  report.gradient_norm = static_cast<double>(optimizer_.gradient_norm().item());
  report.epoch = ++state_.epoch;
  state_.step = 0;
  state_.loss_sum = state_.correct = state_.examples = 0;
  return true;
}

void Trainer::train_step(std::span<const int64_t> picks) {
  const int64_t number = global_step() + 1;
  if (number == options_.profile.first) stream_.capture_profile(true);
  queue_step(picks);
  if (number == options_.profile.last) stream_.capture_profile(false);
}

void Trainer::queue_step(std::span<const int64_t> picks) {
  const ProfilerRange step(stream_, "step");
  Generator& generator = default_generator(stream_.device());
  generator.set_step(static_cast<uint64_t>(global_step()) + 1);  // step 0 initialised the model
  Batch batch;
  {
    const ProfilerRange range(stream_, "data");
    batch = augment(data_.train.random_crops(picks, card_.crop_frames, options_.precision, generator),
                    data_.train.inverse_std(), options_.augmentation, generator);
  }
  Tensor loss;
  const Tensor logits = forward_and_backward(batch, loss);
  {
    const ProfilerRange range(stream_, "optimizer");
    optimizer_.step(schedule_(global_step()));
  }
  kernel::batch_metrics(stream_, logits.data(), batch.targets.as<float>(), loss.as<float>(),
                        optimizer_.gradient_norm().as<float>(), metrics_.data(), logits.dtype(), logits.shape()[0],
                        logits.shape()[1]);
  latest_.metrics->start(metrics_.data());
  latest_.picks = picks;
  latest_.number = ++state_.step;
}

Tensor Trainer::forward_and_backward(const Batch& batch, Tensor& loss) {
  Tensor logits;
  {
    const ProfilerRange range(stream_, "forward");
    logits = model_(batch.x);
    loss = cross_entropy(logits, batch.targets, options_.label_smoothing);
  }
  const ProfilerRange range(stream_, "backward");
  optimizer_.zero_grad();
  loss.backward();
  return logits;
}

void Trainer::collect(StepUnderWay& step) {
  if (step.picks.empty()) return;
  const auto& metrics = *static_cast<const kernel::BatchMetrics*>(step.metrics->wait());
  require_finite(static_cast<double>(metrics.loss), "loss", step);
  require_finite(static_cast<double>(metrics.gradient_norm), "gradient norm", step);
  const auto n = static_cast<double>(step.picks.size());
  state_.loss_sum += static_cast<double>(metrics.loss) * n;
  state_.correct += static_cast<double>(metrics.correct);
  state_.examples += n;
  step.picks = {};
}

void Trainer::require_finite(double value, const char* what, const StepUnderWay& step) const {
  if (std::isfinite(value)) return;
  std::string files;
  for (const int64_t pick : step.picks) {
    files += (files.empty() ? "" : ", ") + data_.train_names[static_cast<size_t>(pick)];
  }
  fail(
      "the {} is {} at step {} (epoch {}); lower --learning-rate or look at this batch: {}; the last good checkpoint "
      "is {}",
      what, value, step.number, state_.epoch + 1, files, (run_folder_ / training_state_file).string());
}

// What a step takes grows in proportion to its batch, so two small steps tell what a large one would take.
std::string Trainer::advice_for_lack_of_memory(size_t capacity) {
  const auto peak_of = [this](int64_t batch_size) {
    std::vector<int64_t> picks;
    for (int64_t i = 0; i < batch_size; ++i) picks.push_back(i % data_.train.size());
    stream_.reset_peak();
    Tensor loss;
    Generator& generator = default_generator(stream_.device());
    forward_and_backward(data_.train.random_crops(picks, card_.crop_frames, options_.precision, generator), loss);
    return static_cast<double>(stream_.memory().peak);
  };
  try {
    const int64_t small = std::max<int64_t>(1, options_.batch_size / 16), large = 2 * small;
    const double at_small = peak_of(small), each = (peak_of(large) - at_small) / static_cast<double>(small);
    constexpr double caution = 0.9;  // sizes are rounded up, and what is free may be in pieces
    const double room = caution * (static_cast<double>(capacity) - at_small);
    const auto fits = small + static_cast<int64_t>(std::floor(room / each));
    if (fits >= 1 && fits < options_.batch_size) return fmt::format("--batch-size {} would fit", fits);
  } catch (const OutOfMemory&) {
    return "use a smaller model or --crop-frames";
  }
  return "use a smaller --batch-size";
}

void Trainer::validate(EpochReport& report) {
  const std::vector<TrackPrediction> predictions = predict_tracks(model_, data_.validation,
                                                                  {.crop_frames = card_.crop_frames,
                                                                   .crops = options_.validation_crops,
                                                                   .batch_size = options_.batch_size,
                                                                   .precision = options_.precision});
  report.validation_loss = mean_log_loss(predictions, data_.validation);
  if (!std::isfinite(report.validation_loss)) {
    fail("the validation loss is {} after epoch {}; lower --learning-rate; the last good checkpoint is {}",
         report.validation_loss, report.epoch, (run_folder_ / training_state_file).string());
  }
  report.validation_track_accuracy = track_accuracy(predictions, data_.validation);
  report.best = state_.best_epoch == 0 || report.validation_loss < state_.best_loss;
  if (report.best) {
    state_.best_epoch = report.epoch;
    state_.best_loss = report.validation_loss;
  }
}

std::vector<int64_t> Trainer::epoch_order() const {
  std::vector<int64_t> order;
  for (int64_t crop = 0; crop < options_.crops_per_track; ++crop) {
    for (int64_t track = 0; track < data_.train.size(); ++track) order.push_back(track);
  }
  shuffle(order, options_.seed, first_epoch_draw + static_cast<uint64_t>(state_.epoch));
  return order;
}

void Trainer::save(const char* file, const SafeTensors& content) const {
  before_writing_();
  write_safetensors(run_folder_ / file, content);
}

void Trainer::save_model(const char* file) const {
  save(file, {.metadata = to_metadata(card_), .tensors = state_dict(model_)});
}

void Trainer::save_training_state() const {
  const json training{{"epoch", state_.epoch},           {"step", state_.step},
                      {"best_epoch", state_.best_epoch}, {"best_loss", state_.best_loss},
                      {"loss_sum", state_.loss_sum},     {"correct", state_.correct},
                      {"examples", state_.examples},     {"optimizer_steps", optimizer_.steps()},
                      {"tracks", data_.train.size()}};
  SafeTensors file{.metadata = to_metadata(card_), .tensors = state_dict(model_)};
  file.metadata["training"] = training.dump();
  for (Named named : optimizer_.state()) {
    named.name = optimizer_prefix + named.name;
    file.tensors.push_back(to_safe_tensor(named));
  }
  save(training_state_file, file);
}

void Trainer::resume() {
  const std::string path = (run_folder_ / training_state_file).string();
  const SafeTensors file = read_safetensors(path);
  const ModelCard card = model_card(file.metadata, path);
  require_same_labels(card.labels, card_.labels, path);
  load_state_dict(model_, file, optimizer_prefix, path);
  load_tensors(optimizer_.state(), file, optimizer_prefix, path);
  try {
    const json training = json::parse(file.metadata.at("training"));
    if (to_metadata(card_) != to_metadata(card)) {
      fail("{} was trained with other settings of the model or its features; resume with the options of the run", path);
    }
    if (training.at("tracks") != data_.train.size()) {
      fail("{} was trained on {} tracks, the data set now gives {}; resume with the same data", path,
           training.at("tracks").get<int64_t>(), data_.train.size());
    }
    state_ = {.epoch = training.at("epoch"),
              .step = training.at("step"),
              .best_epoch = training.at("best_epoch"),
              .best_loss = training.at("best_loss"),
              .loss_sum = training.at("loss_sum"),
              .correct = training.at("correct"),
              .examples = training.at("examples")};
    optimizer_.set_steps(training.at("optimizer_steps"));
    const int64_t steps = steps_per_epoch(data_.train.size(), options_);
    if (state_.epoch < 0 || state_.step < 0 || state_.step > steps) {
      fail("{} was saved at epoch {}, step {} of {}, which cannot be; train again", path, state_.epoch, state_.step,
           steps);
    }
  } catch (const std::out_of_range&) {
    fail("{} holds a model but no training state; resume from a run's training.safetensors", path);
  } catch (const json::exception& error) {
    fail("{}: its training state cannot be read: {}", path, error.what());
  }
}

}  // namespace melgrad
