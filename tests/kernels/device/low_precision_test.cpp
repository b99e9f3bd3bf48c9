#include "kernels/device/low_precision.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace melgrad::test {
namespace {

uint16_t bits(float value) { return from_float<bfloat16>(value).bits; }
uint16_t half_bits(float value) { return from_float<float16>(value).bits; }

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

// The patterns are those of IEEE 754-2008, binary16.
TEST(Float16, RoundsToTheNearestAndTiesToEven) {
  EXPECT_EQ(half_bits(1.0f), 0x3c00);
  EXPECT_EQ(half_bits(-2.0f), 0xc000);
  EXPECT_EQ(half_bits(1.0f + 0x1p-11f), 0x3c00);             // half-way between 1 and 1 + 2^-10: to the even 1
  EXPECT_EQ(half_bits(1.0f + 0x3p-11f), 0x3c02);             // half-way between odd and even: up
  EXPECT_EQ(half_bits(1.0f + 0x1p-11f + 0x1p-23f), 0x3c01);  // just above half-way
  EXPECT_EQ(half_bits(65504.0f), 0x7bff);
  EXPECT_EQ(half_bits(65519.9f), 0x7bff);
  EXPECT_EQ(half_bits(65520.0f), 0x7c00);  // half-way to 2^16
  EXPECT_EQ(half_bits(-std::numeric_limits<float>::max()), 0xfc00);
}

TEST(Float16, HasSubnormalValues) {
  EXPECT_EQ(half_bits(0x1p-14f), 0x0400);
  EXPECT_EQ(half_bits(0x1p-24f), 0x0001);
  EXPECT_EQ(half_bits(-0x1p-24f), 0x8001);
  EXPECT_EQ(half_bits(0x1p-25f), 0x0000);             // half-way between 0 and the smallest: to the even 0
  EXPECT_EQ(half_bits(0x1p-25f + 0x1p-40f), 0x0001);  // just above
  EXPECT_EQ(half_bits(0x3p-25f), 0x0002);             // half-way between odd and even
  EXPECT_EQ(half_bits(0x1p-14f - 0x1p-26f), 0x0400);  // rounds up to the smallest normal value
  EXPECT_EQ(half_bits(-0.0f), 0x8000);
  EXPECT_EQ(half_bits(std::numeric_limits<float>::denorm_min()), 0);
}

TEST(Float16, EveryValueSurvivesTheRoundTrip) {
  EXPECT_TRUE(std::isnan(to_float(from_float<float16>(std::numeric_limits<float>::quiet_NaN()))));
  EXPECT_EQ(to_float(float16{0x3555}), 0x1.554p-2f);  // the nearest to 1/3
  EXPECT_EQ(to_float(float16{0x03ff}), 0x3ffp-24f);
  EXPECT_EQ(to_float(float16{0xfc00}), -std::numeric_limits<float>::infinity());
  for (uint32_t pattern = 0; pattern < 0x10000; ++pattern) {
    const float16 value{static_cast<uint16_t>(pattern)};
    if (std::isnan(to_float(value))) continue;
    ASSERT_EQ(half_bits(to_float(value)), pattern);
  }
}

}  // namespace
}  // namespace melgrad::test
