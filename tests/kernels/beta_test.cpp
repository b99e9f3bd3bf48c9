#include "kernels/beta.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/random.h"

namespace melgrad::test {
namespace {

TEST(Beta, HasTheMomentsOfItsDistribution) {
  constexpr int n = 50000;
  for (const double alpha : {0.1, 0.2, 0.4, 1.0, 2.0, 8.0}) {
    const Randomness random(3, 5, 7);
    double mean = 0, variance = 0, fourth = 0;
    for (uint64_t i = 0; i < n; ++i) {
      const double value = static_cast<double>(beta(random.stream, i, static_cast<float>(alpha)));
      ASSERT_TRUE(value >= 0 && value <= 1);
      const double square = (value - 0.5) * (value - 0.5);
      mean += value / n;
      variance += square / n;
      fourth += square * square / n;
    }
    // Central moments of Beta(alpha, alpha): 1 / (4 (2 alpha + 1)) and 3 / (16 (2 alpha + 1) (2 alpha + 3)).
    const double true_variance = 1 / (4 * (2 * alpha + 1));
    const double true_fourth = 3 / (16 * (2 * alpha + 1) * (2 * alpha + 3));
    EXPECT_NEAR(mean, 0.5, 5 * std::sqrt(true_variance / n)) << alpha;
    EXPECT_NEAR(variance, true_variance, 5 * std::sqrt((true_fourth - true_variance * true_variance) / n)) << alpha;
    EXPECT_NEAR(fourth, true_fourth, 0.05 * true_fourth) << alpha;
  }
}

}  // namespace
}  // namespace melgrad::test
