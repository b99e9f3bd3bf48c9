// Moments of the initial values compared with those of their distributions.
#include "framework/init.h"

#include "framework/random.h"
#include "models/models.h"

#include <gtest/gtest.h>

#include <cmath>

namespace melgrad::test {
namespace {

struct Moments {
  double mean = 0, deviation = 0, kurtosis = 0, largest = 0;
  double count = 0;

  explicit Moments(const Tensor& tensor) : count(static_cast<double>(tensor.numel())) {
    const std::vector<float> values = tensor.to_vector();
    for (const float value : values) {
      mean += static_cast<double>(value) / count;
      largest = std::max(largest, std::abs(static_cast<double>(value)));
    }
    double second = 0, fourth = 0;
    for (const float value : values) {
      const double square = std::pow(static_cast<double>(value) - mean, 2);
      second += square / count;
      fourth += square * square / count;
    }
    deviation = std::sqrt(second);
    kurtosis = fourth / (second * second);
  }
};

// Allows five standard errors. The seed is fixed, so the result is always the same.
void expect_moments(const Moments& moments, double deviation, double kurtosis) {
  EXPECT_NEAR(moments.mean, 0, 5 * deviation / std::sqrt(moments.count));
  EXPECT_NEAR(moments.deviation, deviation, 5 * deviation * std::sqrt((kurtosis - 1) / 4 / moments.count));
  EXPECT_NEAR(moments.kurtosis, kurtosis, 25 * kurtosis / std::sqrt(moments.count));
}

TEST(Init, KaimingNormalHasTheDeviationOfItsFanOut) {
  manual_seed(1);
  for (const Shape& shape : {Shape{64, 7, 7, 1}, Shape{128, 3, 3, 64}, Shape{31, 1, 1, 1009}}) {
    SCOPED_TRACE(fmt::format("{}", shape));
    expect_moments(Moments(kaiming_normal_init(shape)),
                   std::sqrt(2.0 / static_cast<double>(shape[0] * shape[1] * shape[2])), 3);
  }
}

TEST(Init, UniformFillsItsInterval) {
  manual_seed(1);
  const Moments moments(uniform_init({317, 331}, 0.25f));
  expect_moments(moments, 0.25 / std::sqrt(3.0), 1.8);
  EXPECT_LE(moments.largest, 0.25);
  EXPECT_GT(moments.largest, 0.2499);
}

TEST(Init, DefaultIsUniformWithinOneOverTheRootOfTheFanIn) {
  manual_seed(1);
  const Moments moments(default_init({317, 331}, 331));
  expect_moments(moments, 1 / std::sqrt(3.0 * 331), 1.8);
  EXPECT_LE(moments.largest, 1 / std::sqrt(331.0) * (1 + 1e-6));
}

TEST(Init, IsDeterminedByTheSeed) {
  const auto weights = [](uint64_t seed) {
    manual_seed(seed);
    std::vector<float> all;
    for (const Named& parameter : make_model("cnn", 10)->parameters()) {
      const auto values = parameter.tensor.to_vector();
      all.insert(all.end(), values.begin(), values.end());
    }
    return all;
  };
  const auto first = weights(5);
  EXPECT_EQ(weights(5), first);
  EXPECT_NE(weights(6), first);
}

TEST(Init, WithoutValuesLeavesTheGeneratorWhereItWouldBe) {
  const Shape shape{3, 3, 3, 4};
  manual_seed(7);
  kaiming_normal_init(shape);
  const std::vector<float> expected = default_init(shape, 9).to_vector();
  manual_seed(7);
  {
    const WithoutInitialValues values_come_from_elsewhere;
    EXPECT_EQ(kaiming_normal_init(shape).shape(), shape);
  }
  EXPECT_EQ(default_init(shape, 9).to_vector(), expected);
}

TEST(Init, DiffersBetweenParameters) {
  manual_seed(1);
  EXPECT_NE(default_init({7, 5}, 5).to_vector(), default_init({7, 5}, 5).to_vector());
}

}  // namespace
}  // namespace melgrad::test
