#include "framework/dataset/linear_baseline.h"

#include <gtest/gtest.h>

#include "framework/training/calibration.h"
#include "tests/support/errors.h"
#include "tests/support/random.h"

namespace melgrad::test {
namespace {

struct Examples {
  std::vector<std::vector<float>> features;
  std::vector<int> labels;
};

// The examples of fixtures/make_logistic_regression.py.
Examples sixty_examples() {
  const std::vector<float> values = random_values(300, 1);
  Examples examples;
  for (size_t i = 0; i < 60; ++i) {
    std::vector<float> row(values.begin() + static_cast<int64_t>(5 * i),
                           values.begin() + static_cast<int64_t>(5 * i + 5));
    row[i % 3] += 1;
    row[3] *= 100;
    row[4] = 7;
    examples.features.push_back(row);
    examples.labels.push_back(static_cast<int>(i % 3));
  }
  return examples;
}

TEST(LinearBaseline, ProbabilitiesEqualScikitLearn) {
  const Examples examples = sixty_examples();
  const LogisticRegression model(examples.features, examples.labels, 3);
  const std::vector<std::vector<float>> expected{{0.9755f, 0.01793f, 0.00657f},
                                                 {0.01243f, 0.87553f, 0.11204f},
                                                 {0.03453f, 0.15474f, 0.81073f},
                                                 {0.81795f, 0.10769f, 0.07437f}};
  for (size_t i = 0; i < expected.size(); ++i) {
    const std::vector<float> probabilities = model.predict(examples.features[i]);
    for (size_t c = 0; c < 3; ++c) EXPECT_NEAR(probabilities[c], expected[i][c], 2e-4) << i;
  }
  int correct = 0;
  for (size_t i = 0; i < 60; ++i) {
    const std::vector<float> p = model.predict(examples.features[i]);
    correct += std::ranges::max_element(p) - p.begin() == examples.labels[i];
  }
  EXPECT_EQ(correct, 50);
}

TEST(LinearBaseline, ThePenaltyIsTheInverseOfScikitLearnsC) {
  const Examples examples = sixty_examples();
  const LogisticRegression model(examples.features, examples.labels, 3, 50);
  const std::vector<std::vector<float>> expected{{0.56185f, 0.24956f, 0.18859f},
                                                 {0.22692f, 0.50497f, 0.26811f},
                                                 {0.23243f, 0.32023f, 0.44733f},
                                                 {0.44426f, 0.29864f, 0.2571f}};
  const AffineMap map = model.affine_map();
  for (size_t i = 0; i < expected.size(); ++i) {
    const std::vector<float> probabilities = model.predict(examples.features[i]);
    std::vector<double> logits;
    for (size_t c = 0; c < 3; ++c) {
      EXPECT_NEAR(probabilities[c], expected[i][c], 2e-4) << i;
      double logit = static_cast<double>(map.bias[c]);
      for (size_t f = 0; f < 5; ++f) {
        logit += static_cast<double>(map.weight[5 * c + f]) * static_cast<double>(examples.features[i][f]);
      }
      logits.push_back(logit);
    }
    const std::vector<float> of_map = softmax(logits, 1);
    for (size_t c = 0; c < 3; ++c) EXPECT_NEAR(of_map[c], expected[i][c], 2e-4) << i;
  }
}

TEST(LinearBaseline, FeaturesAreMeanAndDeviationOfEachBin) {
  const LogMel mel{.n_mels = 2, .frames = 4, .db = {1, 3, 1, 3, -5, -5, -5, -5}};
  EXPECT_EQ(mel_statistics(mel), (std::vector<float>{2, -5, 1, 0}));
  // 1 dB below the maximum of 3 is the limit: 2, 3, 2, 3 and 2, 2, 2, 2.
  EXPECT_EQ(mel_statistics(mel, 1), (std::vector<float>{2.5, 2, 0.5, 0}));
}

TEST(LinearBaseline, RefusesExamplesThatDoNotFit) {
  const std::vector<int> one{0}, two{0, 2};
  expect_error([&] { LogisticRegression({}, {}, 2); }, "0 examples");
  expect_error([&] { LogisticRegression({{1, 2}}, two, 2); }, "1 examples with 2 labels");
  expect_error([&] { LogisticRegression({{1, 2}, {1}}, two, 3); }, "1 features among examples of 2");
  expect_error([&] { LogisticRegression({{1, 2}, {1, 3}}, two, 2); }, "class 2 is not one of 2");
  expect_error([&] { LogisticRegression({{1, 2}}, one, 2).predict({1}); }, "1 features, expected 2");
}

}  // namespace
}  // namespace melgrad::test
