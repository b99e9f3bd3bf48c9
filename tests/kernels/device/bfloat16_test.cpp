#include "kernels/device/bfloat16.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace melgrad::test {
namespace {

uint16_t bits(float value) { return from_float<bfloat16>(value).bits; }

TEST(Bfloat16, RoundsToTheNearestAndTiesToEven) {
  EXPECT_EQ(bits(1.0f), 0x3f80);
  EXPECT_EQ(bits(-2.0f), 0xc000);
  EXPECT_EQ(bits(1.0f + 0x1p-8f), 0x3f80);             // half-way between 1 and 1 + 2^-7: to the even 1
  EXPECT_EQ(bits(1.0f + 0x3p-8f), 0x3f82);             // half-way between odd and even: up
  EXPECT_EQ(bits(1.0f + 0x1p-8f + 0x1p-23f), 0x3f81);  // just above half-way
  EXPECT_EQ(bits(std::numeric_limits<float>::max()), 0x7f80);
  EXPECT_EQ(bits(std::numeric_limits<float>::denorm_min()), 0);
}

TEST(Bfloat16, KeepsNaNAndInfinity) {
  float nan_with_low_payload;
  const uint32_t pattern = 0x7f800001;
  std::memcpy(&nan_with_low_payload, &pattern, sizeof pattern);
  EXPECT_TRUE(std::isnan(to_float(from_float<bfloat16>(nan_with_low_payload))));
  EXPECT_TRUE(std::isnan(to_float(from_float<bfloat16>(-std::numeric_limits<float>::quiet_NaN()))));
  EXPECT_EQ(to_float(from_float<bfloat16>(-std::numeric_limits<float>::infinity())),
            -std::numeric_limits<float>::infinity());
}

TEST(Bfloat16, EveryValueSurvivesTheRoundTrip) {
  for (uint32_t pattern = 0; pattern < 0x10000; ++pattern) {
    const bfloat16 value{static_cast<uint16_t>(pattern)};
    if (std::isnan(to_float(value))) continue;
    ASSERT_EQ(bits(to_float(value)), pattern);
  }
}

}  // namespace
}  // namespace melgrad::test
