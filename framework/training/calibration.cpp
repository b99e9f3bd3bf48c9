#include "framework/training/calibration.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <nlohmann/json.hpp>

namespace melgrad {
namespace {

double largest(std::span<const double> logits) { return *std::max_element(logits.begin(), logits.end()); }

std::vector<double> softmax_in_double(std::span<const double> logits, double temperature) {
  const double shift = largest(logits);
  std::vector<double> probabilities;
  double total = 0;
  for (const double logit : logits) total += probabilities.emplace_back(std::exp((logit - shift) / temperature));
  for (double& probability : probabilities) probability /= total;
  return probabilities;
}

// The derivative of the examples' summed negative log-probability with respect to 1 / temperature. It never decreases
// as 1 / temperature grows, because the sum is convex.
double slope(std::span<const LabelledLogits> examples, double inverse_temperature) {
  double sum = 0;
  for (const auto& [logits, label] : examples) {
    const std::vector<double> probabilities = softmax_in_double(logits, 1 / inverse_temperature);
    for (size_t i = 0; i < logits.size(); ++i) sum += probabilities[i] * logits[i];
    sum -= logits[static_cast<size_t>(label)];
  }
  return sum;
}

std::vector<ReliabilityBin> reliability(double temperature, std::span<const LabelledLogits> examples) {
  std::vector<ReliabilityBin> bins;
  for (int i = 0; i < reliability_bins; ++i) {
    bins.push_back(
        {.low = static_cast<double>(i) / reliability_bins, .high = static_cast<double>(i + 1) / reliability_bins});
  }
  for (const auto& [logits, label] : examples) {
    const std::vector<double> probabilities = softmax_in_double(logits, temperature);
    const auto most = std::max_element(probabilities.begin(), probabilities.end());
    const auto bin = std::min(static_cast<int>(std::ceil(*most * reliability_bins)), reliability_bins) - 1;
    ReliabilityBin& chosen = bins[static_cast<size_t>(std::max(0, bin))];
    ++chosen.count;
    chosen.confidence += *most;
    chosen.accuracy += std::distance(probabilities.begin(), most) == label;
  }
  for (ReliabilityBin& bin : bins) {
    const auto count = static_cast<double>(std::max<int64_t>(1, bin.count));
    bin.confidence /= count;
    bin.accuracy /= count;
  }
  return bins;
}

double expected_error(std::span<const ReliabilityBin> bins, size_t examples) {
  double sum = 0;
  for (const ReliabilityBin& bin : bins)
    sum += static_cast<double>(bin.count) * std::abs(bin.accuracy - bin.confidence);
  return sum / static_cast<double>(std::max<size_t>(1, examples));
}

nlohmann::ordered_json bins_to_json(std::span<const ReliabilityBin> bins) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const ReliabilityBin& bin : bins) {
    nlohmann::ordered_json entry{{"low", bin.low}, {"high", bin.high}, {"count", bin.count}};
    entry["confidence"] = bin.count > 0 ? nlohmann::ordered_json(bin.confidence) : nullptr;
    entry["accuracy"] = bin.count > 0 ? nlohmann::ordered_json(bin.accuracy) : nullptr;
    list.push_back(std::move(entry));
  }
  return list;
}

}  // namespace

std::vector<float> softmax(std::span<const double> logits, double temperature) {
  const std::vector<double> probabilities = softmax_in_double(logits, temperature);
  std::vector<float> result;
  for (const double probability : probabilities) result.push_back(static_cast<float>(probability));
  return result;
}

std::optional<double> fit_temperature(std::span<const LabelledLogits> examples) {
  const auto is_right = [](const LabelledLogits& example) {
    return example.logits[static_cast<size_t>(example.label)] == largest(example.logits);
  };
  if (std::all_of(examples.begin(), examples.end(), is_right)) return std::nullopt;
  // Bisection on the logarithm of 1 / temperature; 60 halvings of the interval reach the precision of a double.
  double low = std::log(1 / highest_temperature), high = std::log(1 / lowest_temperature);
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (slope(examples, std::exp(middle)) < 0 ? low : high) = middle;
  }
  return std::exp(-(low + high) / 2);
}

Calibration calibration_at(double temperature, std::span<const LabelledLogits> examples) {
  Calibration result{
      .temperature = temperature, .bins_before = reliability(1, examples), .bins = reliability(temperature, examples)};
  result.ece_before = expected_error(result.bins_before, examples.size());
  result.ece_after = expected_error(result.bins, examples.size());
  return result;
}

nlohmann::ordered_json to_json(const Calibration& calibration) {
  return {{"temperature", calibration.temperature},
          {"ece_before", calibration.ece_before},
          {"ece_after", calibration.ece_after},
          {"bins_before", bins_to_json(calibration.bins_before)},
          {"bins", bins_to_json(calibration.bins)}};
}

}  // namespace melgrad
