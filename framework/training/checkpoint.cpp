#include "framework/training/checkpoint.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "framework/training/state_dict.h"

namespace melgrad {
namespace {

using nlohmann::json;

constexpr const char* optimizer_prefix = "optimizer.";
constexpr const char* state_key = "training";

json to_json(const TrainingState& state, int64_t optimizer_steps, const std::string& items_name, int64_t items) {
  return {{"epoch", state.epoch},
          {"step", state.step},
          {"best_epoch", state.best_epoch},
          {"best_loss", state.best_loss},
          {"loss_sum", state.loss_sum},
          {"correct", state.correct},
          {"examples", state.examples},
          {"skipped_steps", state.skipped_steps},
          {"optimizer_steps", optimizer_steps},
          {items_name, items}};
}

TrainingState state_from(const json& text) {
  return {.epoch = text.at("epoch"),
          .step = text.at("step"),
          .best_epoch = text.at("best_epoch"),
          .best_loss = text.at("best_loss"),
          .loss_sum = text.at("loss_sum"),
          .correct = text.at("correct"),
          .examples = text.at("examples"),
          .skipped_steps = text.value("skipped_steps", int64_t{0})};  // older files lack it
}

}  // namespace

Snapshot take_snapshot(const Module& model, const Adam& optimizer, const TrainingState& state,
                       const std::map<std::string, std::string>& metadata, const std::string& items_name, int64_t items,
                       Snapshot::Files files) {
  Snapshot snapshot{.content = {.metadata = metadata}, .values = nullptr, .files = files};
  std::vector<ArrayBytes> arrays;
  const auto add = [&](const Named& named) {
    snapshot.content.tensors.push_back(without_values(named));
    arrays.push_back({named.tensor.data(), named.tensor.bytes()});
  };
  for (const auto& members : {model.parameters(), model.buffers()}) std::ranges::for_each(members, add);
  snapshot.content.metadata[state_key] = to_json(state, optimizer.steps(), items_name, items).dump();
  snapshot.model_tensors = snapshot.content.tensors.size();
  for (Named named : optimizer.state()) {
    named.name = optimizer_prefix + named.name;
    add(named);
  }
  snapshot.values = model.parameters().at(0).tensor.stream().send_to_host(arrays);
  return snapshot;
}

void write_snapshot(const std::filesystem::path& run_folder, Snapshot snapshot,
                    const std::function<void()>& before_writing) {
  for (size_t i = 0; i < snapshot.content.tensors.size(); ++i) {
    set_values(snapshot.content.tensors[i], snapshot.values->take(i));
  }
  snapshot.values.reset();
  const auto write = [&](const char* file) {
    before_writing();
    write_safetensors(run_folder / file, snapshot.content);
  };
  // The training state is written first, so that no model file is newer than the state that a resumed run starts from.
  write(training_state_file);
  snapshot.content.metadata.erase(state_key);
  snapshot.content.tensors.resize(snapshot.model_tensors);
  if (snapshot.files >= Snapshot::Files::last_model) write(last_model_file);
  if (snapshot.files >= Snapshot::Files::best_model) write(best_model_file);
}

Checkpoint read_checkpoint(const std::filesystem::path& run_folder) {
  const std::filesystem::path path = run_folder / training_state_file;
  return {.path = path.string(), .content = read_safetensors(path)};
}

TrainingState restore(const Checkpoint& checkpoint, Module& model, Adam& optimizer, const std::string& items_name,
                      int64_t items) {
  const std::string& path = checkpoint.path;
  load_state_dict(model, checkpoint.content, optimizer_prefix, path);
  load_tensors(optimizer.state(), checkpoint.content, optimizer_prefix, path);
  const auto text = checkpoint.content.metadata.find(state_key);
  if (text == checkpoint.content.metadata.end()) {
    fail("{} holds a model but no training state; resume from a run's {}", path, training_state_file);
  }
  try {
    const json training = json::parse(text->second);
    if (training.at(items_name) != items) {
      fail("{} was trained on {} {}, the data set now gives {}; resume with the same data", path,
           training.at(items_name).get<int64_t>(), items_name, items);
    }
    optimizer.set_steps(training.at("optimizer_steps"));
    return state_from(training);
  } catch (const json::exception& error) {
    fail("{}: cannot read its training state: {}; train again", path, error.what());
  }
}

}  // namespace melgrad
