#include "framework/dataset/clip_store.h"

#include <gtest/gtest.h>

#include <cmath>

namespace melgrad::test {
namespace {

TEST(Standardisation, TreatsEachMelBinSeparately) {
  const LogMel a{.n_mels = 2, .frames = 2, .db = {1, 3, -80, -80}, .seconds = 1};
  const LogMel b{.n_mels = 2, .frames = 1, .db = {8, -80}, .seconds = 1};
  const Standardisation s = standardisation_of(std::vector{a, b});
  EXPECT_FLOAT_EQ(s.mean[0], 4);
  EXPECT_FLOAT_EQ(s.deviation[0], std::sqrt(26.0f / 3));
  EXPECT_FLOAT_EQ(s.mean[1], -80);
  EXPECT_FLOAT_EQ(s.deviation[1], 1);  // a bin that never changes
}

}  // namespace
}  // namespace melgrad::test
