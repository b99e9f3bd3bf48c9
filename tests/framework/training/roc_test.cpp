#include "framework/training/roc.h"

#include <gtest/gtest.h>

#include "tests/support/errors.h"

namespace melgrad::test {
namespace {

// The example in the documentation of scikit-learn's roc_curve and roc_auc_score.
TEST(Roc, EqualsScikitLearn) {
  const std::optional<RocCurve> curve = roc_curve(std::vector{0.1, 0.4, 0.35, 0.8}, {false, false, true, true});
  ASSERT_TRUE(curve);
  const std::vector<std::pair<double, double>> expected{{0, 0}, {0, 0.5}, {0.5, 0.5}, {0.5, 1}, {1, 1}};
  ASSERT_EQ(curve->points.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_DOUBLE_EQ(curve->points[i].false_positive_rate, expected[i].first);
    EXPECT_DOUBLE_EQ(curve->points[i].true_positive_rate, expected[i].second);
  }
  EXPECT_DOUBLE_EQ(curve->area, 0.75);
}

TEST(Roc, ATieCountsOneHalf) {
  EXPECT_DOUBLE_EQ(roc_curve(std::vector{0.5, 0.5, 0.5}, {true, false, false})->area, 0.5);
  EXPECT_DOUBLE_EQ(roc_curve(std::vector{0.9, 0.5, 0.5, 0.1}, {true, true, false, false})->area, 3.5 / 4);
}

// The area is the share of pairs of a positive and a negative example that are in the right order (Mann & Whitney
// 1947).
TEST(Roc, AreaIsTheShareOfPairsInOrder) {
  std::vector<double> scores;
  std::vector<bool> positive;
  for (int i = 0; i < 60; ++i) {
    scores.push_back((i * 37 % 23) / 23.0);
    positive.push_back(i * 11 % 7 < 3);
  }
  double right = 0, pairs = 0;
  for (size_t i = 0; i < scores.size(); ++i) {
    for (size_t j = 0; j < scores.size(); ++j) {
      if (!positive[i] || positive[j]) continue;
      right += scores[i] > scores[j] ? 1 : scores[i] == scores[j] ? 0.5 : 0;
      ++pairs;
    }
  }
  EXPECT_NEAR(roc_curve(scores, positive)->area, right / pairs, 1e-12);
}

TEST(Roc, NeedsBothKindsOfExamples) {
  EXPECT_FALSE(roc_curve(std::vector{0.1, 0.2}, {true, true}));
  EXPECT_FALSE(roc_curve(std::vector<double>{}, {}));
  expect_error([] { roc_curve(std::vector{0.1}, {}); }, "1 scores for 0 examples");
}

}  // namespace
}  // namespace melgrad::test
