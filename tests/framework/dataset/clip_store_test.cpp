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

int64_t automatic_crop(const std::vector<int64_t>& lengths) {
  std::vector<LogMel> clips;
  for (const int64_t frames : lengths) clips.push_back({.n_mels = 1, .frames = frames});
  return crop_frames_for(clips);
}

TEST(AutomaticCrop, IsNotLongerThanMostClips) {
  EXPECT_EQ(automatic_crop({1292, 1292, 40}), 256);
  EXPECT_EQ(automatic_crop({216, 300, 100}), 208);  // clips of 5 s
  EXPECT_EQ(automatic_crop({256}), 256);
  EXPECT_EQ(automatic_crop({255}), 240);
  EXPECT_EQ(automatic_crop({3, 5, 2000}), 32);
}

}  // namespace
}  // namespace melgrad::test
