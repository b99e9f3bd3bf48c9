#include "models/statistics_classifier.h"

#include <algorithm>

#include "framework/dataset/linear_baseline.h"
#include "framework/device_array.h"
#include "framework/ops.h"
#include "kernels/argmax.h"
#include "kernels/band_statistics.h"

namespace melgrad {
namespace {

constexpr int64_t most_examples = 16384, most_examples_of_item = 8, batch_size = 32;

struct Examples {
  std::vector<std::vector<float>> statistics;
  std::vector<int> labels;
};

// Appends the rows of a matrix.
void append_rows(const Tensor& matrix, std::vector<std::vector<float>>& rows) {
  const std::vector<float> values = matrix.to_vector();
  const int64_t width = matrix.shape()[1];
  for (int64_t row = 0; row < matrix.shape()[0]; ++row) {
    rows.emplace_back(values.begin() + row * width, values.begin() + (row + 1) * width);
  }
}

// One example of each item. `step` selects the random numbers.
void append_examples(const BatchSource& source, std::span<const int64_t> items, Device device, uint64_t seed,
                     uint64_t step, Examples& examples) {
  Generator generator(seed, device), on_host(seed);
  generator.set_step(step);
  on_host.set_step(step);
  source.read_ahead(items);
  if (device != Device::cpu) source.prepare(items, on_host);
  const DeviceArray<int64_t> on_device(items, device);
  const Batch batch = source.batch({.on_host = items, .on_device = on_device.data()}, generator);
  append_rows(band_statistics(cast(batch.x, DType::float32), StatisticsClassifier::bands), examples.statistics);
  std::vector<std::vector<float>> targets;
  append_rows(batch.targets, targets);
  for (const std::vector<float>& row : targets) {
    examples.labels.push_back(static_cast<int>(argmax(row.data(), std::ssize(row))));
  }
}

// Evenly spaced items if there are too many.
std::vector<int64_t> choose_items(int64_t items) {
  const int64_t count = std::min(items, most_examples);
  std::vector<int64_t> result;
  for (int64_t i = 0; i < count; ++i) result.push_back(i * items / count);
  return result;
}

}  // namespace

StatisticsClassifier::StatisticsClassifier(int64_t classes)
    : weight_(buffer("weight", Tensor::zeros({classes, kernel::BandStatistics::count * bands}))),
      bias_(buffer("bias", Tensor::zeros({classes}))) {}

std::string StatisticsClassifier::description() const {
  return fmt::format("StatisticsClassifier({} bands, {} classes)", bands, bias_.shape()[0]);
}

Tensor StatisticsClassifier::forward(const Tensor& x) {
  return linear(band_statistics(cast(x, DType::float32), bands), weight_, bias_);
}

void StatisticsClassifier::fit(const std::vector<std::vector<float>>& statistics, std::span<const int> labels) {
  // The crops of a recording resemble each other, so this many of them need a strong penalty.
  constexpr float penalty = 100;
  const AffineMap map = LogisticRegression(statistics, labels, bias_.shape()[0], penalty).affine_map();
  weight_.stream().copy(weight_.data(), map.weight.data(), map.weight.size() * sizeof(float));
  bias_.stream().copy(bias_.data(), map.bias.data(), map.bias.size() * sizeof(float));
}

void fit_statistics(const Module& model, const BatchSource& crops, uint64_t seed) {
  const std::vector<Module*> children = model.children();
  const auto found = std::ranges::find_if(
      children, [](const Module* child) { return dynamic_cast<const StatisticsClassifier*>(child) != nullptr; });
  if (found == children.end()) return;
  const Device device = model.parameters()[0].tensor.device();
  const std::vector<int64_t> items = choose_items(crops.epoch_size().items);
  const int64_t passes = std::clamp<int64_t>(most_examples / std::ssize(items), 1, most_examples_of_item);
  Examples examples;
  uint64_t step = 0;
  for (int64_t pass = 0; pass < passes; ++pass) {
    for (size_t first = 0; first < items.size(); first += batch_size) {
      const size_t count = std::min<size_t>(batch_size, items.size() - first);
      append_examples(crops, std::span(items).subspan(first, count), device, seed, ++step, examples);
    }
  }
  dynamic_cast<StatisticsClassifier&>(**found).fit(examples.statistics, examples.labels);
}

}  // namespace melgrad
