#include "framework/training/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>

#include "framework/data/shuffle.h"
#include "framework/interrupt.h"
#include "framework/ops.h"
#include "framework/training/state_dict.h"

namespace melgrad {
namespace {

using nlohmann::json;

constexpr const char* optimizer_prefix = "optimizer.";
constexpr uint64_t first_epoch_draw = uint64_t{1} << 62;
constexpr const char* training_state_file = "training.safetensors";

int64_t count_correct(const Tensor& logits, const Tensor& targets) {
  const std::vector<float> predicted = logits.to_vector(), wanted = targets.to_vector();
  const auto classes = logits.shape()[1];
  const auto argmax = [classes](const std::vector<float>& values, int64_t row) {
    const auto begin = values.begin() + row * classes;
    return std::max_element(begin, begin + classes) - begin;
  };
  int64_t correct = 0;
  for (int64_t row = 0; row < logits.shape()[0]; ++row) correct += argmax(predicted, row) == argmax(wanted, row);
  return correct;
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

}  // namespace

Trainer::Trainer(Module& model, TrainingData data, const ModelCard& card, const TrainOptions& options,
                 Schedule schedule, std::filesystem::path run_folder)
    : model_(model),
      data_(data),
      card_(card),
      options_(options),
      schedule_(std::move(schedule)),
      run_folder_(std::move(run_folder)),
      optimizer_(decay_groups(model.parameters(), options.weight_decay), options.optimizer) {}

int64_t Trainer::steps_per_epoch(int64_t tracks, const TrainOptions& options) {
  return (tracks * options.crops_per_track + options.batch_size - 1) / options.batch_size;
}

int64_t Trainer::global_step() const {
  return state_.epoch * steps_per_epoch(data_.train.size(), options_) + state_.step;
}

Trainer::Outcome Trainer::run(ProgressMode progress, const std::function<void(const EpochReport&)>& on_epoch) {
  if (global_step() == 0) {
    save_model("last.safetensors");
    save_training_state();
  }
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
  for (auto first = static_cast<size_t>(state_.step) * batch_size; first < order.size(); first += batch_size) {
    if (interrupted()) return false;
    train_step(std::span(order).subspan(first, std::min(batch_size, order.size() - first)));
    report.train_loss = state_.loss_sum / state_.examples;
    report.train_accuracy = state_.correct / state_.examples;
    progress.update(static_cast<int64_t>(state_.examples),
                    fmt::format("loss {:.3f}, accuracy {:.3f}", report.train_loss, report.train_accuracy));
  }
  progress.finish();
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  report.tracks_per_second = (state_.examples - examples_before) / static_cast<double>(options_.crops_per_track) /
                             std::max(report.seconds, 1e-9);
  report.learning_rate = static_cast<double>(schedule_(global_step() - 1));
  report.gradient_norm = static_cast<double>(optimizer_.gradient_norm());
  report.epoch = ++state_.epoch;
  state_.step = 0;
  state_.loss_sum = state_.correct = state_.examples = 0;
  return true;
}

void Trainer::train_step(std::span<const int64_t> picks) {
  Generator& generator = default_generator(model_.parameters()[0].tensor.device());
  generator.set_step(static_cast<uint64_t>(global_step()) + 1);  // step 0 initialised the model
  const Batch batch =
      augment(data_.train.random_crops(picks, card_.crop_frames, generator), options_.augmentation, generator);

  const Tensor logits = model_(batch.x);
  const Tensor loss = cross_entropy(logits, batch.targets, options_.label_smoothing);
  require_finite(static_cast<double>(loss.item()), "loss", picks);
  optimizer_.zero_grad();
  loss.backward();
  optimizer_.step(schedule_(global_step()));
  require_finite(static_cast<double>(optimizer_.gradient_norm()), "gradient norm", picks);

  const auto n = static_cast<double>(picks.size());
  state_.loss_sum += static_cast<double>(loss.item()) * n;
  state_.correct += static_cast<double>(count_correct(logits, batch.targets));
  state_.examples += n;
  ++state_.step;
}

void Trainer::require_finite(double value, const char* what, std::span<const int64_t> picks) const {
  if (std::isfinite(value)) return;
  std::string files;
  for (const int64_t pick : picks) files += (files.empty() ? "" : ", ") + data_.train_names[static_cast<size_t>(pick)];
  fail(
      "the {} is {} at step {} (epoch {}); lower --learning-rate or look at this batch: {}; the last good checkpoint "
      "is {}",
      what, value, state_.step + 1, state_.epoch + 1, files, (run_folder_ / training_state_file).string());
}

void Trainer::validate(EpochReport& report) {
  const std::vector<TrackPrediction> predictions = predict_tracks(
      model_, data_.validation,
      {.crop_frames = card_.crop_frames, .crops = options_.validation_crops, .batch_size = options_.batch_size});
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

void Trainer::save_model(const char* file) const {
  write_safetensors(run_folder_ / file, {.metadata = to_metadata(card_), .tensors = state_dict(model_)});
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
  write_safetensors(run_folder_ / training_state_file, file);
}

void Trainer::resume() {
  const std::string path = (run_folder_ / training_state_file).string();
  const SafeTensors file = read_safetensors(path);
  load_state_dict(model_, file, optimizer_prefix, path);
  load_tensors(optimizer_.state(), file, optimizer_prefix, path);
  try {
    const json training = json::parse(file.metadata.at("training"));
    if (to_metadata(card_) != to_metadata(model_card(file.metadata, path))) {
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
  } catch (const std::out_of_range&) {
    fail("{} holds a model but no training state; resume from a run's training.safetensors", path);
  } catch (const json::exception& error) {
    fail("{}: its training state cannot be read: {}", path, error.what());
  }
}

}  // namespace melgrad
