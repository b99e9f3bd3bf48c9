// Temperature scaling and the calibration error of a classifier (Guo et al. 2017, "On Calibration of Modern Neural
// Networks"). A classifier is calibrated if, of all answers with probability p, the share p is right.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <vector>

namespace melgrad {

// The probabilities softmax(logits / temperature). temperature > 0.
std::vector<float> softmax(std::span<const double> logits, double temperature);

// One example whose class is known.
struct LabelledLogits {
  std::vector<double> logits;  // one per class
  int label = 0;
};

constexpr double lowest_temperature = 0.05, highest_temperature = 20;

// The temperature with the least mean negative log-probability of the labels, between lowest_temperature and
// highest_temperature. Nothing if there are no examples, and if every label has the largest logit of its example: lower
// temperatures are then always better, and no number of such examples says how much the classifier errs.
std::optional<double> fit_temperature(std::span<const LabelledLogits> examples);

struct ReliabilityBin {
  double low = 0, high = 0;  // the bin holds the examples with low < confidence <= high
  int64_t count = 0;         // examples
  double confidence = 0;     // their mean largest probability; 0 if there are none
  double accuracy = 0;       // share of them whose most probable class is the label; 0 if there are none
};

struct Calibration {
  double temperature = 1;
  double ece_before = 0;  // expected calibration error at temperature 1, in [0, 1]
  double ece_after = 0;   // at `temperature`
  std::vector<ReliabilityBin> bins_before, bins;
};

constexpr int reliability_bins = 15;  // of equal width

// The expected calibration error is the mean of |accuracy - confidence| over the bins, weighted by their examples; 0 if
// there are none.
Calibration calibration_at(double temperature, std::span<const LabelledLogits> examples);

// {"temperature", "ece_before", "ece_after", "bins_before": [...], "bins": [{"low", "high", "count", "confidence",
// "accuracy"}, ...]}. The confidence and accuracy of an empty bin are null.
nlohmann::ordered_json to_json(const Calibration& calibration);

}  // namespace melgrad
