#include "framework/training/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <type_traits>

#include "framework/shuffle.h"
#include "framework/terminal/interrupt.h"
#include "framework/terminal/text.h"
#include "framework/training/memory_advice.h"
#include "kernels/arithmetic.h"

namespace melgrad {
namespace {

constexpr uint64_t first_epoch_draw = uint64_t{1} << 62;
constexpr size_t batches_ahead = 4;  // that a source may read from a disk

std::vector<Named> trained_parameters(const Module& model) {
  std::vector<Named> result = model.parameters();
  std::erase_if(result, [](const Named& named) { return !named.tensor.requires_grad(); });
  return result;
}

}  // namespace

Trainer::Trainer(Module& model, const BatchSource& source, Loss loss, Validate validate, const TrainOptions& options,
                 Schedule schedule, RunFolder folder)
    : model_(model),
      source_(source),
      epoch_size_(source.epoch_size()),
      loss_(std::move(loss)),
      validate_(std::move(validate)),
      options_(options),
      parts_(options.accumulate * options.ranks->size()),
      schedule_(std::move(schedule)),
      folder_(std::move(folder)),
      stream_(model.parameters()[0].tensor.stream()),
      optimizer_(decay_groups(trained_parameters(model), options.weight_decay, options.learning_rate_factors),
                 options.optimizer),
      inputs_(stream_.device(), options.batch_size, parts_),
      buffers_(model),
      one_(Tensor::full({}, 1, stream_.device())),
      exchange_(*options.ranks, trained_parameters(model)),
      readback_(stream_, options.accumulate),
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
  readback_.start(items, state_.step + 1, parts_of_rank(std::ssize(items)));
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
  const int64_t first = options_.ranks->rank() * options_.accumulate;
  const int64_t end = first + parts_of_rank(std::ssize(inputs_.items().on_host));
  std::vector<ComputedPart> computed;
  if (parts_ > 1) buffers_.begin_step();
  for (int64_t i = first; i < end; ++i) {
    if (parts_ > 1) buffers_.begin_part();
    computed.push_back(compute_part(i));
    if (parts_ > 1) buffers_.end_part(inputs_.weight(i));
  }
  if (options_.ranks->size() > 1) in_phase(stream_, "exchange", [&] { exchange_.sum(buffers_.sums()); });
  if (parts_ > 1) buffers_.end_step();
  in_phase(stream_, "optimizer", [&] { optimizer_.update(inputs_.adam()); });  // clips the gradient first
  in_phase(stream_, "metrics", [&] {
    for (size_t i = 0; i < computed.size(); ++i) compute_metrics(computed[i], static_cast<int64_t>(i));
  });
}

// The forward and the backward pass.
Trainer::ComputedPart Trainer::compute_part(int64_t index) {
  const StepPart part = inputs_.part(index);
  Generator& generator = default_generator(stream_.device());
  inputs_.lead(generator, part);
  const Batch batch = in_phase(stream_, "data", [&] { return source_.batch(inputs_.items(part), generator); });
  const Tensor output = in_phase(stream_, "forward", [&] { return model_(batch.x); });
  const Tensor loss = in_phase(stream_, "loss", [&] { return loss_(output, batch.targets); });
  loss.backward(gradient_of_loss(index).view(loss.shape()));
  return {.output = output.detach(), .targets = batch.targets, .loss = loss.detach()};
}

// The backward pass of a part starts from this gradient.
Tensor Trainer::gradient_of_loss(int64_t part) const {
  const Tensor& scale = optimizer_.loss_scale().defined() ? optimizer_.loss_scale() : one_;
  if (parts_ == 1) return scale;
  Tensor result = Tensor::empty_like(scale);
  kernel::scale(stream_, scale.data(), inputs_.weight(part), result.data(), scale.dtype(), 1);
  return result;
}

void Trainer::compute_metrics(const ComputedPart& computed, int64_t part) {
  const Tensor& output = computed.output;
  const int64_t rows = options_.classification ? output.shape()[0] : 0;
  const int64_t classes = options_.classification ? output.shape()[1] : 0;
  kernel::batch_metrics(stream_, output.data(), computed.targets.as<float>(), computed.loss.as<float>(),
                        optimizer_.gradient_norm().as<float>(), readback_.metrics(part), output.dtype(), rows, classes);
}

int64_t Trainer::parts_of_rank(int64_t examples) const {
  const int64_t first = options_.ranks->rank() * options_.accumulate;
  return std::clamp<int64_t>(examples - first, 0, options_.accumulate);
}

// Completes the result with the parts of the other ranks. Decides for all ranks whether they stop or write a checkpoint
// after this step.
void Trainer::gather(StepResult& step) {
  Communicator& ranks = *options_.ranks;
  if (ranks.size() == 1) return;
  struct Flags {
    bool stop, checkpoint_due;
  };
  const Flags mine{interrupted(), ranks.rank() == 0 && rank_0_must_write()};
  std::vector<Flags> flags(static_cast<size_t>(ranks.size()));
  ranks.all_gather(&mine, sizeof mine, flags.data());
  stop_ = std::ranges::any_of(flags, &Flags::stop);
  checkpoint_due_ = flags[0].checkpoint_due;
  step.metrics.resize(static_cast<size_t>(options_.accumulate));
  std::vector<kernel::BatchMetrics> all(static_cast<size_t>(parts_));
  ranks.all_gather(step.metrics.data(), step.metrics.size() * sizeof(kernel::BatchMetrics), all.data());
  all.resize(std::min(all.size(), step.items.size()));  // the last parts are the empty ones
  step.metrics = std::move(all);
}

void Trainer::add_to_sums(std::optional<StepResult> step) {
  if (!step) return;
  gather(*step);
  const auto examples = static_cast<int64_t>(step->items.size()), parts = std::ssize(step->metrics);
  for (int64_t i = 0; i < parts; ++i) {
    const StepPart part = part_of_batch(examples, i, parts);
    const auto& metrics = step->metrics[static_cast<size_t>(i)];
    const auto items = step->items.subspan(static_cast<size_t>(part.first), static_cast<size_t>(part.count));
    require_finite(static_cast<double>(metrics.loss), "loss", step->number, items);
  }
  const auto gradient_norm = static_cast<double>(step->metrics.at(0).gradient_norm);
  skipped_in_a_row_ = options_.optimizer.loss_scaling && !std::isfinite(gradient_norm) ? skipped_in_a_row_ + 1 : 0;
  constexpr int64_t most_skipped_in_a_row = 30;  // then the loss scale is below 1
  if (skipped_in_a_row_ == 0 || skipped_in_a_row_ > most_skipped_in_a_row) {
    require_finite(gradient_norm, "gradient norm", step->number, step->items);
  }
  if (skipped_in_a_row_ > 0) ++state_.skipped_steps;
  for (int64_t i = 0; i < parts; ++i) {
    const auto& metrics = step->metrics[static_cast<size_t>(i)];
    state_.loss_sum += static_cast<double>(metrics.loss) * static_cast<double>(part_of_batch(examples, i, parts).count);
    state_.correct += static_cast<double>(metrics.correct);
  }
  state_.examples += static_cast<double>(examples);
}

void Trainer::require_finite(double value, const char* what, int64_t step, std::span<const int64_t> items) const {
  if (std::isfinite(value)) return;
  std::string names;
  for (const int64_t item : items) names += (names.empty() ? "" : ", ") + source_.name(item);
  fail("the {} is {} at step {} (epoch {}); lower --learning-rate or look at this batch: {}{}", what,
       without_nan_sign(value), step, state_.epoch + 1, names,
       folder_.path.empty() ? "" : "; the last good checkpoint is " + checkpoint_path());
}

// ---- Epochs.

Trainer::Outcome Trainer::run(ProgressMode progress, const std::function<void(const EpochReport&)>& on_epoch) {
  try {
    send_state_to_all_ranks();
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

// All ranks start from the state of rank 0, which alone needs to have resumed.
void Trainer::send_state_to_all_ranks() {
  Communicator& ranks = *options_.ranks;
  if (ranks.size() == 1) return;
  MELGRAD_CHECK(stream_.device() == Device::cpu, "several processes train on the CPU only, got {}",
                stream_.description());
  for (const auto& members : {model_.parameters(), model_.buffers(), optimizer_.state()}) {
    for (const Named& named : members) ranks.broadcast(named.tensor.data(), named.tensor.bytes(), 0);
  }
  int64_t optimizer_steps = optimizer_.steps();
  ranks.broadcast(&optimizer_steps, sizeof optimizer_steps, 0);
  optimizer_.set_steps(optimizer_steps);
  static_assert(std::is_trivially_copyable_v<TrainingState>);
  ranks.broadcast(&state_, sizeof state_, 0);
}

Trainer::Outcome Trainer::run_epochs(ProgressMode progress, const std::function<void(const EpochReport&)>& on_epoch) {
  if (state_.step == 0) write_checkpoint_between_epochs();
  Outcome outcome = Outcome::finished;
  while (state_.epoch < options_.epochs && outcome == Outcome::finished) {
    if (options_.patience > 0 && state_.epoch - state_.best_epoch >= options_.patience) {
      outcome = Outcome::stopped_early;
    } else if (std::optional<EpochReport> report = train_epoch(progress)) {
      validate(*report);
      if (options_.ranks->rank() == 0) on_epoch(*report);
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
  for (; count > 0 && !must_stop(); --count) {
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
  for (size_t first = begin; first < order.size() && !must_stop(); first += batch_size) {
    const int64_t number = global_step() + 1;
    if (number == options_.profile.first) stream_.capture_profile(true);
    read_ahead(order, first);
    train_step(order.subspan(first, std::min(batch_size, order.size() - first)));
    if (number == options_.profile.last) stream_.capture_profile(false);
    add_to_sums(readback_.take_previous());
    show();
    if (in_flight_ && in_flight_->snapshot.values->arrived()) hand_snapshot_to_writer();
    // Not after the last step: the next checkpoint contains the validation of this epoch.
    if (first + batch_size < order.size() && checkpoint_is_due()) {
      add_to_sums(readback_.take_latest());
      write_checkpoint(Snapshot::Files::training_state, Urgency::soon);
      checkpoint_due_ = false;
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
  if (options_.ranks->rank() == 0) report.validation = validate_(model_);
  options_.ranks->broadcast(&report.validation.loss, sizeof report.validation.loss, 0);
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
  if (options_.ranks->rank() > 0) return;
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
  return batch_size_advice(capacity, options_.batch_size, parts_, options_.ranks->size(), [this](int64_t batch_size) {
    std::vector<int64_t> items;
    for (int64_t i = 0; i < batch_size; ++i) items.push_back(i % epoch_size_.items);
    stream_.reset_peak();
    StepInputs inputs(stream_.device(), batch_size);
    inputs.upload(items, 0, {});
    Generator generator(options_.seed, stream_.device()), on_host(options_.seed);
    source_.prepare(items, on_host);
    const Batch batch = source_.batch(inputs.items(inputs.part(0)), generator);
    optimizer_.zero_grad();
    loss_(model_(batch.x), batch.targets).backward();
    return stream_.memory().peak;
  });
}

}  // namespace melgrad
