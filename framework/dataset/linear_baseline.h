// A linear classifier of whole tracks: multinomial logistic regression on the mean and standard deviation of each mel
// bin. A network that is not clearly better has learned little beyond the average spectrum.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "framework/dataset/mel_clip.h"
#include "framework/tensor.h"

namespace melgrad {

// The mean and then the standard deviation of each mel bin over the frames: [2 * n_mels]. A top_db above 0 first raises
// values that are further below the maximum of the clip to this limit (dB).
std::vector<float> mel_statistics(const MelClip& mel, double top_db = 0);

// logits = weight * features + bias.
struct AffineMap {
  std::vector<float> weight;  // [classes, features]
  std::vector<float> bias;    // [classes]
};

// Multinomial logistic regression on standardised features with an L2 penalty on the weights, as scikit-learn's
// LogisticRegression(C=1 / penalty) after StandardScaler: minimises sum_i cross_entropy_i + penalty |weights|^2 / 2 from
// weights of 0, so that the result does not depend on a seed.
class LogisticRegression {
 public:
  // labels[i] in [0, classes) is the class of features[i]. All features have the same length. Throws Error for no
  // examples or unequal lengths.
  LogisticRegression(const std::vector<std::vector<float>>& features, std::span<const int> labels, int64_t classes,
                     float penalty = 1);

  // One probability per class.
  std::vector<float> predict(const std::vector<float>& features) const;
  // The logits as a function of features that are not standardised.
  AffineMap affine_map() const;

 private:
  Tensor standardised(std::span<const std::vector<float>> features) const;  // [examples, features]

  std::vector<float> mean_, deviation_;
  Tensor weight_, bias_;  // [classes, features], [classes]
};

}  // namespace melgrad
