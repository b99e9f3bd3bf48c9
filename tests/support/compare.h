// Comparison of computed arrays with expected ones: within a tolerance, or bit for bit.
#pragma once

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "tests/support/arrays.h"

namespace melgrad::test {

// Expects |actual - expected| <= absolute + relative * |expected| of every element; stops at the first failure.
template <class Expected>
void expect_close(std::span<const float> actual, const std::vector<Expected>& expected, double relative,
                  double absolute) {
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    const double e = static_cast<double>(expected[i]), difference = std::abs(static_cast<double>(actual[i]) - e);
    // EXPECT_NEAR is not used, because a NaN must fail.
    ASSERT_TRUE(difference <= absolute + relative * std::abs(e))
        << "element " << i << " is " << actual[i] << ", expected " << e;
  }
}

inline void expect_close(const Results& actual, const Results& expected, double relative, double absolute) {
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t k = 0; k < actual.size(); ++k) {
    SCOPED_TRACE(testing::Message() << "array " << k);
    expect_close(std::span<const float>(actual[k]), expected[k], relative, absolute);
  }
}

// The largest relative error of a value computed in float32 and stored as `dtype`: bfloat16 keeps 8 bits, float16 11.
inline double tolerance(DType dtype, double in_float32) {
  if (dtype == DType::float32) return in_float32;
  return dtype == DType::bfloat16 ? 0x1p-8 : 0x1p-11;
}

inline void expect_same_bits(const std::vector<float>& actual, const std::vector<float>& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t i = 0; i < actual.size(); ++i) {
    if (std::bit_cast<uint32_t>(actual[i]) != std::bit_cast<uint32_t>(expected[i])) {
      FAIL() << "element " << i << " is " << actual[i] << ", expected the same bits as " << expected[i];
    }
  }
}

inline void expect_same_bits(const Results& actual, const Results& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t k = 0; k < actual.size(); ++k) {
    SCOPED_TRACE(testing::Message() << "array " << k);
    expect_same_bits(actual[k], expected[k]);
  }
}

}  // namespace melgrad::test
