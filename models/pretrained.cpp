#include "models/pretrained.h"

#include <cstring>
#include <set>
#include <unordered_map>

#include "framework/training/state_dict.h"
#include "models/checkpoint_file.h"

namespace melgrad {
namespace {

constexpr const char* optimizer_prefix = "optimizer.";
constexpr const char* statistics_prefix = "statistics.";  // of a StatisticsClassifier

// "fc." or "classifier.3.": the prefix of the last parameters.
std::string head_prefix(const Module& model) {
  const std::string last = model.parameters().back().name;
  return last.substr(0, last.rfind('.') + 1);
}

// The sum of a float32 weight [out, in, height, width] over `in`: for an input whose channels are equal, the
// convolution gives the same result.
SafeTensor summed_over_channels(const SafeTensor& weight) {
  const auto outputs = static_cast<size_t>(weight.shape[0]), channels = static_cast<size_t>(weight.shape[1]);
  const auto taps = static_cast<size_t>(weight.shape[2] * weight.shape[3]);
  const std::vector<float> values = float_values(weight);
  std::vector<float> sums(outputs * taps);
  for (size_t i = 0; i < values.size(); ++i) sums[i / (channels * taps) * taps + i % taps] += values[i];
  SafeTensor result{.name = weight.name, .dtype = weight.dtype, .shape = weight.shape, .bytes = {}};
  result.shape[1] = 1;
  const std::span<const std::byte> bytes = std::as_bytes(std::span(sums));
  result.bytes = SharedBytes(std::vector(bytes.begin(), bytes.end()));
  return result;
}

bool is_summed(const SafeTensor& weight, const SafeTensor& wanted) {
  if (weight.shape.size() != 4 || wanted.shape.size() != 4 || weight.dtype != "F32") return false;
  std::vector<int64_t> summed = weight.shape;
  summed[1] = 1;
  return weight.shape[1] > 1 && wanted.shape == summed;
}

std::filesystem::path file_of_init(const std::filesystem::path& path) {
  try {
    return checkpoint_file(path);
  } catch (const Error& error) {
    fail("--init: {}", error.what());
  }
}

}  // namespace

Pretrained::Pretrained(const std::filesystem::path& file, const std::string& model) {
  const std::filesystem::path path = file_of_init(file);
  file_ = path.string();
  content_ = read_safetensors(path);
  if (content_.metadata.contains("melgrad_format")) card_ = model_card(content_.metadata, file_);
  if (card_ && card_->model != model) {
    fail("--init: {} holds a {}, but --model is {}; give --model {}", file_, card_->model, model, card_->model);
  }
}

std::string Pretrained::load_into(const Module& model, const std::vector<std::string>& labels) const {
  std::unordered_map<std::string, const SafeTensor*> by_name;
  for (const SafeTensor& tensor : content_.tensors) by_name[tensor.name] = &tensor;
  const std::string head = head_prefix(model);
  std::vector<std::string> fresh, summed, absent, unused, fitted;
  std::set<std::string> known;
  size_t taken = 0;
  for (const auto& members : {model.parameters(), model.buffers()}) {
    for (const Named& named : members) {
      known.insert(named.name);
      if (named.name.starts_with(statistics_prefix)) {
        fitted.push_back(named.name);
        continue;
      }
      if (named.name.starts_with(head) && !has_labels(labels)) {
        fresh.push_back(named.name);
        continue;
      }
      const auto found = by_name.find(named.name);
      if (found == by_name.end()) {
        // Older files of PyTorch lack the counters; only training without momentum reads them.
        if (!named.name.ends_with("num_batches_tracked"))
          fail("--init: {} has no tensor {}; give a checkpoint of the same --model", file_, named.name);
        absent.push_back(named.name);
        continue;
      }
      const bool sums = is_summed(*found->second, without_values(named));
      if (sums) summed.push_back(named.name);
      load_tensors({named}, {.metadata = {}, .tensors = {sums ? summed_over_channels(*found->second) : *found->second}},
                   "", file_);
      ++taken;
    }
  }
  for (const SafeTensor& tensor : content_.tensors) {
    if (!known.contains(tensor.name)) unused.push_back(tensor.name);
  }
  require_finite_values(model, file_);

  std::string line = fmt::format("initial weights: {} of {} tensors from {}", taken, known.size(), file_);
  const auto add = [&line](const char* what, const std::vector<std::string>& names) {
    if (!names.empty()) line += fmt::format("; {}: {}", what, fmt::join(names, ", "));
  };
  add(card_ ? "new, because the labels differ" : "new, because the file names no labels", fresh);
  add("fitted to the training tracks", fitted);
  add("summed over the input channels", summed);
  add("not in the file, so 0", absent);
  const auto state =
      std::ranges::stable_partition(unused, [](const auto& name) { return !name.starts_with(optimizer_prefix); });
  if (!state.empty()) line += fmt::format("; not used: the state of the optimizer ({} tensors)", state.size());
  unused.erase(state.begin(), state.end());
  add("not used", unused);
  return line;
}

std::vector<std::string> Pretrained::notes_on_features(const MelSettings& mel) const {
  if (!card_ || description(card_->mel) == description(mel)) return {};
  return {fmt::format("{} was trained on other features ({}) than this training computes ({})", file_,
                      description(card_->mel), description(mel))};
}

}  // namespace melgrad
