#include "framework/training/calibration.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace melgrad::test {
namespace {

// The examples of fixtures/make_calibration.py.
std::vector<LabelledLogits> drawn_examples() {
  constexpr int classes = 5, examples = 200;
  std::vector<LabelledLogits> result;
  for (int i = 0; i < examples; ++i) {
    LabelledLogits example;
    std::vector<double> cumulative;
    double total = 0;
    for (int c = 0; c < classes; ++c) {
      example.logits.push_back(6 * std::sin(0.7 * i + 1.3 * c + 0.3));
      cumulative.push_back(total += std::exp(example.logits.back() / 2.5));
    }
    const double draw = std::fmod(0.6180339887498949 * i, 1) * total;
    example.label = static_cast<int>(std::ranges::count_if(cumulative, [&](double sum) { return sum < draw; }));
    result.push_back(example);
  }
  return result;
}

// Two classes whose logits differ by `margin`; `right` of `n` examples have the larger one as label.
std::vector<LabelledLogits> two_classes(int right, int n, double margin) {
  std::vector<LabelledLogits> result;
  for (int i = 0; i < n; ++i) result.push_back({.logits = {margin, 0}, .label = i < right ? 0 : 1});
  return result;
}

TEST(Calibration, TemperatureEqualsPyTorchs) {
  EXPECT_NEAR(fit_temperature(drawn_examples()).value(), 2.3781842800063986, 1e-7);
}

// The probability sigmoid(margin / temperature) equals the share of right answers: temperature = margin / log(k/(n-k)).
TEST(Calibration, TemperatureOfTwoClassesHasAClosedForm) {
  EXPECT_NEAR(fit_temperature(two_classes(9, 12, 5)).value(), 5 / std::log(3.0), 1e-9);
  EXPECT_NEAR(fit_temperature(two_classes(99, 100, 2)).value(), 2 / std::log(99.0), 1e-9);
}

TEST(Calibration, HasNoTemperatureWithoutErrorsAndStaysInItsRange) {
  EXPECT_EQ(fit_temperature({}), std::nullopt);
  EXPECT_EQ(fit_temperature(two_classes(7, 7, 3)), std::nullopt);
  EXPECT_NEAR(fit_temperature(two_classes(1, 7, 3)).value(), highest_temperature, 1e-9);
  EXPECT_NEAR(fit_temperature(two_classes(999, 1000, 1e-3)).value(), lowest_temperature, 1e-9);
}

TEST(Calibration, ErrorsEqualNumpys) {
  const Calibration calibration = calibration_at(2.3781842800063986, drawn_examples());
  EXPECT_NEAR(calibration.ece_before, 0.204900267019486, 1e-12);
  EXPECT_NEAR(calibration.ece_after, 0.033750768381072584, 1e-12);
  ASSERT_EQ(calibration.bins_before.size(), 15u);
  EXPECT_EQ(calibration.bins_before[14].count, 71);
  EXPECT_NEAR(calibration.bins_before[14].confidence, 0.9624349779329613, 1e-12);
  EXPECT_NEAR(calibration.bins_before[14].accuracy, 0.676056338028169, 1e-12);
  const auto last = std::ranges::find_if(calibration.bins.rbegin(), calibration.bins.rend(),
                                         [](const ReliabilityBin& bin) { return bin.count > 0; });
  EXPECT_EQ(last->count, 37);
  EXPECT_NEAR(last->confidence, 0.7436138930812338, 1e-12);
  EXPECT_NEAR(last->accuracy, 0.7027027027027027, 1e-12);
}

TEST(Calibration, JsonHasEveryBin) {
  const nlohmann::ordered_json json = to_json(calibration_at(2, two_classes(3, 4, 100)));
  EXPECT_EQ(json.at("temperature"), 2.0);
  EXPECT_EQ(json.at("ece_before"), 0.25);
  ASSERT_EQ(json.at("bins").size(), 15u);
  EXPECT_TRUE(json.at("bins")[0].at("confidence").is_null());
  EXPECT_EQ(json.at("bins")[14].at("count"), 4);
  EXPECT_EQ(json.at("bins")[14].at("accuracy"), 0.75);
  EXPECT_EQ(json.at("bins")[14].at("high"), 1.0);
}

TEST(Calibration, SoftmaxDividesByTheTemperature) {
  const std::vector<double> logits{1000, 1000 + std::log(9.0)};
  EXPECT_NEAR(softmax(logits, 1)[1], 0.9, 1e-6);
  EXPECT_NEAR(softmax(logits, 2)[1], 0.75, 1e-6);
}

}  // namespace
}  // namespace melgrad::test
