// Logistic regression on statistics of the spectrum over time (kernels/band_statistics.h). It errs on other recordings
// than a network does, so the mean of both is better than either on small data sets; docs/recipe.md has the figures.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "framework/module.h"
#include "framework/training/batch_source.h"

namespace melgrad {

// x [N, n_mels, frames, 1], of any dtype of activations -> float32 logits [N, classes]. Its weights are buffers,
// because no optimizer trains them: they are 0 before fit().
class StatisticsClassifier : public Module {
 public:
  static constexpr int64_t bands = 32;

  explicit StatisticsClassifier(int64_t classes);
  std::string description() const override;

  // Replaces the weights by those of logistic regression. statistics[i], of band_statistics(), are those of an example
  // of class labels[i]. Throws what LogisticRegression throws.
  void fit(const std::vector<std::vector<float>>& statistics, std::span<const int> labels);

 protected:
  Tensor forward(const Tensor& x) override;

 private:
  Tensor weight_, bias_;  // [classes, 5 * bands], [classes]
};

// Fits the StatisticsClassifier of a model, on the device of the model, to up to 8 examples of each item of `crops` and
// up to 16,384 in all: of more items, evenly spaced ones are used. The crops must not be augmented. They depend on
// `seed` only. Does nothing if the model has no StatisticsClassifier.
void fit_statistics(const Module& model, const BatchSource& crops, uint64_t seed);

}  // namespace melgrad
