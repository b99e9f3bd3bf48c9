#include "framework/training/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "framework/shuffle.h"
#include "framework/terminal/interrupt.h"
#include "framework/terminal/text.h"
#include "framework/training/memory_advice.h"

namespace melgrad {
namespace {

constexpr uint64_t first_epoch_draw = uint64_t{1} << 62;
constexpr size_t batches_ahead = 4;  // that a source may read from a disk

}  // namespace

Trainer::Trainer(Module& model, const BatchSource& source, Loss loss, Validate validate, const TrainOptions& options,
                 Schedule schedule, RunFolder folder)
    : model_(model),
      source_(source),
      epoch_size_(source.epoch_size()),
      loss_(std::move(loss)),
      validate_(std::move(validate)),
      options_(options),
      schedule_(std::move(schedule)),
      folder_(std::move(folder)),
      stream_(model.parameters()[0].tensor.stream()),
      optimizer_(decay_groups(model.parameters(), options.weight_decay), options.optimizer),
      inputs_(stream_.device(), options.batch_size),
      readback_(stream_),
      graphs_(stream_, options.graphs && options.profile.last == 0),
      writer_(folder_.path, options.checkpoint_seconds, folder_.before_writing) {}

// ---- One training step.

void Trainer::train_step(std::span<const int64_t> items) {
  const ProfilerRange range(stream_, "step");
  // Step 0 of the generator initialized the model.
  in_phase(stream_, "data", [&] {
    inputs_.upload(items, static_cast<uint64_t>(global_step()) + 1, optimizer_.count_step(schedule_(global_step())));
  });
  prepare_batch(items);
  graphs_.run(static_cast<int64_t>(items.size()), [this] { submit_step(); });
  readback_.start(items, state_.step + 1);
  ++state_.step;
}

void Trainer::prepare_batch(std::span<const int64_t> items) {
  in_phase(stream_, "data", [&] {
    if (stream_.device() == Device::cpu) return;  // batch() itself sees everything in the memory of the host
    Generator& on_host = default_generator(Device::cpu);
    on_host.set_step(static_cast<uint64_t>(global_step()) + 1);
    source_.prepare(items, on_host);
  });
}

// Everything that differs from step to step comes from inputs_, so that a graph of this work can be launched again.
void Trainer::submit_step() {
  // First, so that the forward pass does not hold memory beside the last gradients, and every step gets the same
  // addresses.
  optimizer_.zero_grad();
  Generator& generator = default_generator(stream_.device());
  inputs_.lead(generator);
  const Batch batch = in_phase(stream_, "data", [&] { return source_.batch(inputs_.items(), generator); });
  const Tensor output = in_phase(stream_, "forward", [&] { return model_(batch.x); });
  const Tensor loss = in_phase(stream_, "loss", [&] { return loss_(output, batch.targets); });
  const Tensor& scale = optimizer_.loss_scale();
  scale.defined() ? loss.backward(scale) : loss.backward();
  in_phase(stream_, "optimizer", [&] { optimizer_.update(inputs_.adam()); });  // clips the gradient first
  in_phase(stream_, "metrics", [&] { compute_metrics(output, batch.targets, loss); });
}

void Trainer::compute_metrics(const Tensor& output, const Tensor& targets, const Tensor& loss) {
  const int64_t rows = options_.classification ? output.shape()[0] : 0;
  const int64_t classes = options_.classification ? output.shape()[1] : 0;
  kernel::batch_metrics(stream_, output.data(), targets.as<float>(), loss.as<float>(),
                        optimizer_.gradient_norm().as<float>(), readback_.metrics(), output.dtype(), rows, classes);
}

void Trainer::add_to_sums(const std::optional<StepResult>& step) {
  if (!step) return;
  require_finite(static_cast<double>(step->metrics.loss), "loss", *step);
  const auto gradient_norm = static_cast<double>(step->metrics.gradient_norm);
  skipped_in_a_row_ = options_.optimizer.loss_scaling && !std::isfinite(gradient_norm) ? skipped_in_a_row_ + 1 : 0;
  constexpr int64_t most_skipped_in_a_row = 30;  // then the loss scale is below 1
  if (skipped_in_a_row_ == 0 || skipped_in_a_row_ > most_skipped_in_a_row) {
    require_finite(gradient_norm, "gradient norm", *step);
  }
  if (skipped_in_a_row_ > 0) ++state_.skipped_steps;
  const auto n = static_cast<double>(step->items.size());
  state_.loss_sum += static_cast<double>(step->metrics.loss) * n;
  state_.correct += static_cast<double>(step->metrics.correct);
  state_.examples += n;
}

void Trainer::require_finite(double value, const char* what, const StepResult& step) const {
  if (std::isfinite(value)) return;
  std::string names;
  for (const int64_t item : step.items) names += (names.empty() ? "" : ", ") + source_.name(item);
  fail("the {} is {} at step {} (epoch {}); lower --learning-rate or look at this batch: {}{}", what,
       without_nan_sign(value), step.number, state_.epoch + 1, names,
       folder_.path.empty() ? "" : "; the last good checkpoint is " + checkpoint_path());
}

// ---- Epochs.

Trainer::Outcome Trainer::run(ProgressMode progress, const std::function<void(const EpochReport&)>& on_epoch) {
  try {
    return run_epochs(progress, on_epoch);
  } catch (const OutOfMemory& error) {
    write_queued_checkpoints();
    fail("{}; {}", error.what(), advice_on_memory(error.capacity));
  } catch (...) {
    write_queued_checkpoints();
    throw;
  }
}

// Called while an exception is handled: writes the epochs that were logged. A second exception would hide the first
// one.
void Trainer::write_queued_checkpoints() noexcept {
  const auto attempt = [](const auto& write) {
    try {
      write();
    } catch (...) {  // NOLINT(bugprone-empty-catch): the first exception is reported
    }
  };
  attempt([&] { hand_snapshot_to_writer(); });  // fails if the device did
  attempt([&] { writer_.flush(); });
}

Trainer::Outcome Trainer::run_epochs(ProgressMode progress, const std::function<void(const EpochReport&)>& on_epoch) {
  if (state_.step == 0) write_checkpoint_between_epochs();
  Outcome outcome = Outcome::finished;
  while (state_.epoch < options_.epochs && outcome == Outcome::finished) {
    if (options_.patience > 0 && state_.epoch - state_.best_epoch >= options_.patience) {
      outcome = Outcome::stopped_early;
    } else if (std::optional<EpochReport> report = train_epoch(progress)) {
      validate(*report);
      on_epoch(*report);
      if (report->best) {
        write_checkpoint(Snapshot::Files::best_model, Urgency::soon);
      } else {
        write_checkpoint(Snapshot::Files::last_model, Urgency::when_due);
      }
    } else {
      write_checkpoint(Snapshot::Files::training_state, Urgency::soon);
      outcome = Outcome::interrupted;
    }
  }
  write_all_checkpoints();
  return outcome;
}

// A new run starts with a checkpoint. A killed run may have written training.safetensors and not yet the model files of
// the same epoch.
void Trainer::write_checkpoint_between_epochs() {
  const bool best = state_.best_epoch == state_.epoch;
  const auto model_files = best ? Snapshot::Files::best_model : Snapshot::Files::last_model;
  write_checkpoint(state_.epoch == 0 ? Snapshot::Files::training_state : model_files, Urgency::soon);
  write_all_checkpoints();
}

std::optional<EpochReport> Trainer::train_epoch(ProgressMode mode) {
  model_.train();
  readback_.clear();
  const std::vector<int64_t> order = epoch_order();
  announced_ = 0;
  Progress progress(fmt::format("epoch {}/{}", state_.epoch + 1, options_.epochs), epoch_size_.examples(),
                    epoch_size_.examples_per_item == 1 ? epoch_size_.items_name : epoch_size_.examples_name, mode);
  const auto start = std::chrono::steady_clock::now();
  const double examples_before = state_.examples;
  train_batches(order, progress);
  if (state_.step < steps_per_epoch(epoch_size_, options_.batch_size)) return std::nullopt;
  progress.finish();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const double items = (state_.examples - examples_before) / static_cast<double>(epoch_size_.examples_per_item);
  std::optional<EpochReport> result(std::in_place);
  EpochReport& report = *result;
  report.epoch = state_.epoch + 1;
  report.train_loss = state_.loss_sum / state_.examples;
  report.learning_rate = static_cast<double>(schedule_(global_step() - 1));
  report.gradient_norm = static_cast<double>(optimizer_.gradient_norm().item());
  report.seconds = seconds;
  report.items_per_second = items / std::max(seconds, 1e-9);
  report.items_name = epoch_size_.items_name;
  if (options_.classification) report.train_accuracy = state_.correct / state_.examples;
  if (optimizer_.loss_scale().defined()) {
    report.loss_scaling = {.scale = static_cast<double>(optimizer_.loss_scale().item()),
                           .skipped_steps = state_.skipped_steps};
  }
  state_ = {.epoch = report.epoch, .best_epoch = state_.best_epoch, .best_loss = state_.best_loss};
  return result;
}

void Trainer::train_steps(int64_t count) {
  model_.train();
  readback_.clear();
  std::vector<int64_t> order = epoch_order();
  const auto batch_size = static_cast<size_t>(options_.batch_size);
  for (; count > 0 && !interrupted(); --count) {
    if (state_.step == steps_per_epoch(epoch_size_, options_.batch_size)) {
      state_ = {.epoch = state_.epoch + 1, .best_epoch = state_.best_epoch, .best_loss = state_.best_loss};
      order = epoch_order();
      announced_ = 0;
    }
    const size_t first = static_cast<size_t>(state_.step) * batch_size;
    read_ahead(order, first);
    train_step(std::span(order).subspan(first, std::min(batch_size, order.size() - first)));
    add_to_sums(readback_.take_previous());
  }
  add_to_sums(readback_.take_latest());
}

// Trains on the rest of the epoch, or until interrupted().
void Trainer::train_batches(std::span<const int64_t> order, Progress& progress) {
  const auto show = [&] {
    if (state_.examples == 0) return;
    std::string suffix = fmt::format("loss {:.3f}", state_.loss_sum / state_.examples);
    if (options_.classification) suffix += fmt::format(", accuracy {:.3f}", state_.correct / state_.examples);
    progress.update(static_cast<int64_t>(state_.examples), suffix);
  };
  const auto batch_size = static_cast<size_t>(options_.batch_size);
  const auto begin = static_cast<size_t>(state_.step) * batch_size;
  for (size_t first = begin; first < order.size() && !interrupted(); first += batch_size) {
    const int64_t number = global_step() + 1;
    if (number == options_.profile.first) stream_.capture_profile(true);
    read_ahead(order, first);
    train_step(order.subspan(first, std::min(batch_size, order.size() - first)));
    if (number == options_.profile.last) stream_.capture_profile(false);
    add_to_sums(readback_.take_previous());
    show();
    if (in_flight_ && in_flight_->snapshot.values->arrived()) hand_snapshot_to_writer();
    // Not after the last step: the next checkpoint contains the validation of this epoch.
    if (first + batch_size < order.size() && !in_flight_ && writer_.due()) {
      add_to_sums(readback_.take_latest());
      write_checkpoint(Snapshot::Files::training_state, Urgency::soon);
    }
  }
  add_to_sums(readback_.take_latest());
  show();
}

// Before the batch that begins with item `first` of the epoch.
void Trainer::read_ahead(std::span<const int64_t> order, size_t first) {
  const auto batch_size = static_cast<size_t>(options_.batch_size);
  const size_t end = std::min(order.size(), first + (batches_ahead + 1) * batch_size);
  const size_t begin = std::max(announced_, first + batch_size);
  if (begin < end) source_.read_ahead(order.subspan(begin, end - begin));
  announced_ = end;
}

void Trainer::validate(EpochReport& report) {
  report.validation = validate_(model_);
  const double loss = report.validation.loss;
  if (!std::isfinite(loss)) {
    fail("the validation loss is {} after epoch {}; lower --learning-rate; the last good checkpoint is {}", loss,
         report.epoch, checkpoint_path());
  }
  for (const auto& [key, value] : report.validation.metadata) folder_.metadata[key] = value;
  report.best = state_.best_epoch == 0 || loss < state_.best_loss;
  if (report.best) {
    state_.best_epoch = report.epoch;
    state_.best_loss = loss;
  }
}

std::vector<int64_t> Trainer::epoch_order() const {
  std::vector<int64_t> order;
  for (int64_t i = 0; i < epoch_size_.examples(); ++i) order.push_back(i % epoch_size_.items);
  shuffle(order, options_.seed, first_epoch_draw + static_cast<uint64_t>(state_.epoch));
  return order;
}

int64_t Trainer::steps_per_epoch(const EpochSize& epoch, int64_t batch_size) {
  return (epoch.examples() + batch_size - 1) / batch_size;
}

int64_t Trainer::global_step() const {
  return state_.epoch * steps_per_epoch(epoch_size_, options_.batch_size) + state_.step;
}

// ---- Checkpoints and memory.

void Trainer::resume(const Checkpoint& checkpoint) {
  state_ = restore(checkpoint, model_, optimizer_, epoch_size_.items_name, epoch_size_.items);
  // The entries of the last validation; those of the folder stay as they are.
  folder_.metadata.insert(checkpoint.content.metadata.begin(), checkpoint.content.metadata.end());
  const int64_t steps = steps_per_epoch(epoch_size_, options_.batch_size);
  if (state_.epoch < 0 || state_.step < 0 || state_.step > steps) {
    fail("{} holds epoch {}, step {} of {}, which is out of range; train again", checkpoint.path, state_.epoch,
         state_.step, steps);
  }
}

// Does not wait for the device: the steps that follow hand the snapshot to the writer.
void Trainer::write_checkpoint(Snapshot::Files files, Urgency urgency) {
  hand_snapshot_to_writer();
  in_flight_ = {
      take_snapshot(model_, optimizer_, state_, folder_.metadata, epoch_size_.items_name, epoch_size_.items, files),
      urgency};
  if (in_flight_->snapshot.values->arrived()) hand_snapshot_to_writer();
}

void Trainer::hand_snapshot_to_writer() {
  if (!in_flight_) return;
  auto [snapshot, urgency] = *std::exchange(in_flight_, std::nullopt);
  snapshot.values->wait();
  if (urgency == Urgency::soon) {
    writer_.write_soon(std::move(snapshot));
  } else {
    writer_.write_when_due(std::move(snapshot));
  }
}

void Trainer::write_all_checkpoints() {
  hand_snapshot_to_writer();
  writer_.flush();
}

std::string Trainer::checkpoint_path() const { return (folder_.path / training_state_file).string(); }

std::string Trainer::advice_on_memory(size_t capacity) {
  return batch_size_advice(capacity, options_.batch_size, [this](int64_t batch_size) {
    std::vector<int64_t> items;
    for (int64_t i = 0; i < batch_size; ++i) items.push_back(i % epoch_size_.items);
    stream_.reset_peak();
    StepInputs inputs(stream_.device(), batch_size);
    inputs.upload(items, 0, {});
    Generator generator(options_.seed, stream_.device()), on_host(options_.seed);
    source_.prepare(items, on_host);
    const Batch batch = source_.batch(inputs.items(), generator);
    optimizer_.zero_grad();
    loss_(model_(batch.x), batch.targets).backward();
    return stream_.memory().peak;
  });
}

}  // namespace melgrad
