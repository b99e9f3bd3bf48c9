// Bootstrap intervals of few groups, against their exact distribution, which can be counted by hand.
#include "apps/report/track_results.h"

#include <gtest/gtest.h>

namespace melgrad::test {
namespace {

TrackResult track(const std::string& name, const std::string& group, bool correct) {
  return {.name = name, .group = group, .path = {}, .label = 1, .predicted = correct ? 1 : 0, .probabilities = {}};
}

// The gains of the first classifier over the second one are 1, 1, 0 and -1.
std::vector<TrackResult> first_answers(const std::vector<std::string>& groups) {
  return {track("a", groups[0], true), track("b", groups[1], true), track("c", groups[2], true),
          track("d", groups[3], false)};
}
std::vector<TrackResult> second_answers(const std::vector<std::string>& groups) {
  return {track("d", groups[3], true), track("c", groups[2], true), track("b", groups[1], false),
          track("a", groups[0], false)};
}

// Of the 4^4 = 256 equally probable samples, 1 has the sum -4, 4 have -3 and 14 have -2: the probability of at most -3
// is 0.0195, that of at most -2 is 0.074, so the 2.5 % quantile is -2 of 4. 16 samples (0.0625) have the sum 4, so the
// 97.5 % quantile is 4 of 4.
TEST(TrackResults, PairedDifferenceDrawsTracksWithoutGroups) {
  const std::vector<std::string> none(4);
  const auto difference = difference_of(first_answers(none), second_answers(none));
  ASSERT_TRUE(difference);
  EXPECT_DOUBLE_EQ(difference->value, 0.25);
  EXPECT_DOUBLE_EQ(difference->low, -0.5);
  EXPECT_DOUBLE_EQ(difference->high, 1);
}

// The groups have the gains 2 of 2, 0 of 1 and -1 of 1. Of the 3^3 = 27 equally probable samples, the one with the last
// group only has the difference -1 (probability 0.037), the one with the first group only has 1.
TEST(TrackResults, PairedDifferenceDrawsWholeGroups) {
  const std::vector<std::string> groups{"x", "x", "y", "z"};
  const auto difference = difference_of(first_answers(groups), second_answers(groups));
  ASSERT_TRUE(difference);
  EXPECT_DOUBLE_EQ(difference->value, 0.25);
  EXPECT_DOUBLE_EQ(difference->low, -1);
  EXPECT_DOUBLE_EQ(difference->high, 1);
}

TEST(TrackResults, OtherTracksHaveNoDifference) {
  const std::vector<std::string> none(4);
  std::vector<TrackResult> other = second_answers(none);
  other[0].name = "e";
  EXPECT_FALSE(difference_of(first_answers(none), other));
  other.pop_back();
  EXPECT_FALSE(difference_of(first_answers(none), other));
}

// A group with two right answers and one with a wrong answer: a quarter of the samples holds only the second group.
TEST(TrackResults, AccuracyDrawsWholeGroups) {
  const std::vector<TrackResult> tracks{track("a", "x", true), track("b", "x", true), track("c", "y", false)};
  const Accuracy accuracy = accuracy_of(tracks);
  EXPECT_DOUBLE_EQ(accuracy.value, 2.0 / 3);
  EXPECT_DOUBLE_EQ(accuracy.low, 0);
  EXPECT_DOUBLE_EQ(accuracy.high, 1);
}

}  // namespace
}  // namespace melgrad::test
