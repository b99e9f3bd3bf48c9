#include "framework/prediction/segment_smoother.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "framework/prediction/answer.h"

namespace melgrad::test {
namespace {

// The segments of steps of a second with these labels, as "begin-end label", written down as soon as they are returned.
std::string segments_of(const std::string& steps, double shortest, double unsure = 0) {
  const AnswerRule rule{.labels = {"a", "b", "c"}, .unsure = unsure};
  SegmentSmoother smoother(rule, shortest);
  std::string text;
  const auto append = [&](const std::optional<Answer>& segment) {
    if (segment) text += fmt::format("{}-{} {}, ", segment->begin, segment->end, segment->label);
  };
  for (size_t i = 0; i < steps.size(); ++i) {
    std::vector<float> probabilities(3, 0.2f);
    if (steps[i] == '?') {
      probabilities = {0.4f, 0.3f, 0.3f};
    } else {
      probabilities[static_cast<size_t>(steps[i] - 'a')] = 0.6f;
    }
    const auto second = static_cast<double>(i);
    append(smoother.add(rule.answer(second, second + 1, probabilities)));
  }
  append(smoother.finish());
  return text;
}

TEST(SegmentSmoother, JoinsEqualLabels) { EXPECT_EQ(segments_of("aaaabbbbbcccc", 3), "0-4 a, 4-9 b, 9-13 c, "); }

TEST(SegmentSmoother, KeepsShortDeviationsInTheSegment) {
  EXPECT_EQ(segments_of("aaaabbaaaabcbaaaa", 3), "0-17 a, ");
  EXPECT_EQ(segments_of("aaaabcbbbb", 3), "0-6 a, 6-10 b, ");
}

TEST(SegmentSmoother, WithoutAShortestLengthEveryChangeIsASegment) {
  EXPECT_EQ(segments_of("abba", 0), "0-1 a, 1-3 b, 3-4 a, ");
}

TEST(SegmentSmoother, TheFirstSegmentBeginsAtTheStart) {
  EXPECT_EQ(segments_of("abcbbbaaa", 3), "0-6 b, 6-9 a, ");
  EXPECT_EQ(segments_of("abcab", 3), "0-5 a, ");  // none lasts: the mean decides
  EXPECT_EQ(segments_of("", 3), "");
}

TEST(SegmentSmoother, UnsureIsALabel) { EXPECT_EQ(segments_of("aaa???bbb", 3, 0.5), "0-3 a, 3-6 unsure, 6-9 b, "); }

TEST(SegmentSmoother, ProbabilitiesAreTheMeansOfTheSteps) {
  const AnswerRule rule{.labels = {"a", "b"}};
  SegmentSmoother smoother(rule, 2);
  EXPECT_FALSE(smoother.add(rule.answer(0, 1, {0.9f, 0.1f})));
  EXPECT_FALSE(smoother.add(rule.answer(1, 2, {0.7f, 0.3f})));
  EXPECT_FALSE(smoother.add(rule.answer(2, 3, {0.2f, 0.8f})));
  EXPECT_FALSE(smoother.add(rule.answer(3, 4, {0.6f, 0.4f})));
  const Answer segment = smoother.finish().value();
  EXPECT_NEAR(segment.probability, 0.6, 1e-6);
  EXPECT_NEAR(segment.probabilities[1], 0.4, 1e-6);
}

}  // namespace
}  // namespace melgrad::test
