#include "framework/dataset/linear_baseline.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "framework/ops.h"
#include "framework/optimizer.h"
#include "framework/schedule.h"

namespace melgrad {
namespace {

// Columns whose values are all equal get the deviation 1.
std::pair<std::vector<float>, std::vector<float>> column_statistics(const std::vector<std::vector<float>>& rows) {
  std::vector<float> means, deviations;
  const auto n = static_cast<double>(rows.size());
  for (size_t column = 0; column < rows[0].size(); ++column) {
    double sum = 0, squares = 0;
    for (const std::vector<float>& row : rows) sum += static_cast<double>(row[column]);
    const double mean = sum / n;
    for (const std::vector<float>& row : rows) {
      squares += (static_cast<double>(row[column]) - mean) * (static_cast<double>(row[column]) - mean);
    }
    const double deviation = std::sqrt(squares / n);
    means.push_back(static_cast<float>(mean));
    deviations.push_back(deviation > 1e-6 ? static_cast<float>(deviation) : 1.0f);
  }
  return {means, deviations};
}

}  // namespace

std::vector<float> mel_statistics(const MelClip& mel, double top_db) {
  std::vector<float> means, deviations;
  const float lowest =
      top_db > 0 ? std::ranges::max(mel.db()) - static_cast<float>(top_db) : -std::numeric_limits<float>::infinity();
  const auto limited = [lowest](float db) { return static_cast<double>(std::max(db, lowest)); };
  for (int64_t bin = 0; bin < mel.n_mels; ++bin) {
    const std::span frames(mel.memory.get() + bin * mel.frames, static_cast<size_t>(mel.frames));
    double sum = 0, squares = 0;
    for (const float db : frames) sum += limited(db);
    const double mean = sum / static_cast<double>(mel.frames);
    for (const float db : frames) squares += (limited(db) - mean) * (limited(db) - mean);
    means.push_back(static_cast<float>(mean));
    deviations.push_back(static_cast<float>(std::sqrt(squares / static_cast<double>(mel.frames))));
  }
  means.insert(means.end(), deviations.begin(), deviations.end());
  return means;
}

LogisticRegression::LogisticRegression(const std::vector<std::vector<float>>& features, std::span<const int> labels,
                                       int64_t classes, float penalty) {
  MELGRAD_CHECK(!features.empty() && features.size() == labels.size(), "{} examples with {} labels", features.size(),
                labels.size());
  for (const std::vector<float>& row : features) {
    MELGRAD_CHECK(row.size() == features[0].size(), "an example of {} features among examples of {}", row.size(),
                  features[0].size());
  }
  std::tie(mean_, deviation_) = column_statistics(features);
  const auto width = static_cast<int64_t>(mean_.size());
  std::vector<float> one_hot(features.size() * static_cast<size_t>(classes));
  for (size_t i = 0; i < labels.size(); ++i) {
    MELGRAD_CHECK(labels[i] >= 0 && labels[i] < classes, "class {} is not one of {}", labels[i], classes);
    one_hot[i * static_cast<size_t>(classes) + static_cast<size_t>(labels[i])] = 1;
  }
  const auto n = static_cast<int64_t>(features.size());
  const Tensor x = standardised(features), targets = Tensor::from(one_hot, {n, classes});
  weight_ = Tensor::zeros({classes, width}).require_grad();
  bias_ = Tensor::zeros({classes}).require_grad();

  // The loss is strictly convex in the weights. Gradients of all examples and a rate that falls to 0 approach its only
  // minimum.
  constexpr int64_t steps = 600;
  constexpr float first_rate = 0.05f;
  Adam optimizer(decay_groups({{.name = "weight", .tensor = weight_}, {.name = "bias", .tensor = bias_}},
                              penalty / static_cast<float>(n)),
                 {.weight_decay = Adam::WeightDecay::l2});
  const Schedule rate = warmup_cosine_schedule(first_rate, 0, steps);
  for (int64_t step = 0; step < steps; ++step) {
    optimizer.zero_grad();
    cross_entropy(linear(x, weight_, bias_), targets).backward();
    optimizer.step(rate(step));
  }
}

Tensor LogisticRegression::standardised(std::span<const std::vector<float>> features) const {
  std::vector<float> values;
  for (const std::vector<float>& row : features) {
    MELGRAD_CHECK(row.size() == mean_.size(), "{} features, expected {}", row.size(), mean_.size());
    for (size_t i = 0; i < row.size(); ++i) values.push_back((row[i] - mean_[i]) / deviation_[i]);
  }
  return Tensor::from(values, {static_cast<int64_t>(features.size()), static_cast<int64_t>(mean_.size())});
}

std::vector<float> LogisticRegression::predict(const std::vector<float>& features) const {
  const NoGrad no_grad;
  return softmax(linear(standardised({&features, 1}), weight_, bias_)).to_vector();
}

AffineMap LogisticRegression::affine_map() const {
  AffineMap map{.weight = weight_.to_vector(), .bias = bias_.to_vector()};
  for (size_t i = 0; i < map.weight.size(); ++i) {
    const size_t feature = i % mean_.size();
    map.weight[i] /= deviation_[feature];
    map.bias[i / mean_.size()] -= map.weight[i] * mean_[feature];
  }
  return map;
}

}  // namespace melgrad
