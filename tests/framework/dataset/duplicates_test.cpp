#include "framework/dataset/duplicates.h"

#include <gtest/gtest.h>

#include <span>
#include <vector>

#include "tests/support/errors.h"
#include "tests/support/signals.h"

namespace melgrad::test {
namespace {

constexpr int rate = 22050;

Fingerprint fingerprint_of(std::span<const float> samples) { return make_fingerprint(log_mel(samples, {}), {}); }

class Duplicates : public testing::Test {
 protected:
  // Tracks 0 and 3 have equal bytes. Track 1 is track 2 without its first second.
  static std::vector<TrackPrint> prints() {
    const std::vector<float> music = unrelated_music(1, 10), other = unrelated_music(2, 10);
    return {{3, {7, 7}, fingerprint_of(other)},
            {1, {1, 2}, fingerprint_of(std::span(music).subspan(rate))},
            {0, {7, 7}, fingerprint_of(other)},
            {2, {2, 1}, fingerprint_of(music)}};
  }
};

TEST_F(Duplicates, HaveTwoTracksAndAKind) {
  const std::vector<Duplicate> found = find_duplicates(prints());
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].first, 0u);
  EXPECT_EQ(found[0].second, 3u);
  EXPECT_TRUE(found[0].identical);
  EXPECT_EQ(likeness(found[0]), "the files have the same bytes");
  EXPECT_EQ(found[1].first, 1u);
  EXPECT_EQ(found[1].second, 2u);
  EXPECT_FALSE(found[1].identical);
  expect_contains(likeness(found[1]), "the second starts 1.0 s earlier");
}

TEST_F(Duplicates, AreALeakOnlyBetweenTwoSides) {
  EXPECT_TRUE(find_leaks({.train = {0, 3}, .validation = {1, 2}}, prints()).empty());
  const std::vector<Leak> leaks = find_leaks({.train = {0, 1}, .validation = {2}, .test = {3}}, prints());
  ASSERT_EQ(leaks.size(), 2u);
  EXPECT_EQ(leaks[0].first_side, "train");
  EXPECT_EQ(leaks[0].second_side, "test");
  EXPECT_EQ(leaks[1].second_side, "validation");
}

}  // namespace
}  // namespace melgrad::test
