#include "framework/training/metrics.h"

#include <gtest/gtest.h>

#include "framework/io/csv_writer.h"
#include "kernels/device/error.h"
#include "tests/support/repeat.h"

namespace melgrad {
namespace {

using namespace test;

// The matrix of fixtures/make_metrics.py: no example is predicted as disco, and metal does not occur.
ConfusionMatrix six_genres() {
  ConfusionMatrix matrix({"blues", "classical", "disco", "jazz", "metal", "rock"});
  matrix.counts = {{17, 0, 0, 2, 0, 1}, {0, 29, 0, 1, 0, 0}, {3, 0, 0, 0, 0, 4},
                   {5, 6, 0, 8, 0, 0},  {0, 0, 0, 0, 0, 0},  {4, 1, 0, 2, 0, 11}};
  return matrix;
}

void expect_scores(const ClassScores& scores, double precision, double recall, double f1, int64_t support) {
  EXPECT_NEAR(scores.precision, precision, 1e-9);
  EXPECT_NEAR(scores.recall, recall, 1e-9);
  EXPECT_NEAR(scores.f1, f1, 1e-9);
  EXPECT_EQ(scores.support, support);
}

TEST(Metrics, ReportEqualsScikitLearn) {
  const ClassificationReport report = classification_report(six_genres());
  EXPECT_NEAR(report.accuracy, 0.6914893617021277, 1e-15);
  ASSERT_EQ(report.classes.size(), 6u);
  expect_scores(report.classes[0], 0.586206897, 0.85, 0.693877551, 20);
  expect_scores(report.classes[1], 0.805555556, 0.966666667, 0.878787879, 30);
  expect_scores(report.classes[2], 0, 0, 0, 7);
  expect_scores(report.classes[3], 0.615384615, 0.421052632, 0.5, 19);
  expect_scores(report.classes[4], 0, 0, 0, 0);
  expect_scores(report.classes[5], 0.6875, 0.611111111, 0.647058824, 18);
  expect_scores(report.macro, 0.538929413, 0.569766082, 0.543944851, 94);
}

TEST(Metrics, AnEmptyMatrixScoresZero) {
  const ClassificationReport report = classification_report(ConfusionMatrix({"a", "b"}));
  EXPECT_EQ(report.accuracy, 0);
  expect_scores(report.macro, 0, 0, 0, 0);
}

TEST(Metrics, CountsAndRefusesUnknownClasses) {
  ConfusionMatrix matrix({"a", "b"});
  matrix.add(1, 0);
  matrix.add(1, 0);
  matrix.add(0, 0);
  const std::vector<std::vector<int64_t>> expected{{1, 0}, {2, 0}};
  EXPECT_EQ(matrix.counts, expected);
  EXPECT_THROW(matrix.add(2, 0), Error);
  EXPECT_THROW(matrix.add(0, -1), Error);
}

TEST(Metrics, TextIsAligned) {
  EXPECT_EQ(to_text(six_genres()),
            "               blues  classical      disco       jazz      metal       rock  <- predicted\n"
            "blues             17          .          .          2          .          1\n"
            "classical          .         29          .          1          .          .\n"
            "disco              3          .          .          .          .          4\n"
            "jazz               5          6          .          8          .          .\n"
            "metal              .          .          .          .          .          .\n"
            "rock               4          1          .          2          .         11\n");
  EXPECT_EQ(to_text(classification_report(six_genres())),
            "               precision  recall      f1  support\n"
            "blues              0.586   0.850   0.694       20\n"
            "classical          0.806   0.967   0.879       30\n"
            "disco              0.000   0.000   0.000        7\n"
            "jazz               0.615   0.421   0.500       19\n"
            "metal              0.000   0.000   0.000        0\n"
            "rock               0.688   0.611   0.647       18\n"
            "\n"
            "macro average      0.539   0.570   0.544       94\n"
            "accuracy                           0.691       94\n");
}

TEST(Metrics, TextOfManyOrForeignLabelsStaysAligned) {
  ConfusionMatrix accents({"a", "música"});
  accents.counts = {{1, 23456789}, {0, 3}};
  EXPECT_EQ(to_text(accents),
            "               a    música  <- predicted\n"
            "a              1  23456789\n"
            "música         .         3\n");

  const std::vector<std::string> labels(10, "psychedelic rock");
  std::string text = to_text(ConfusionMatrix(labels));
  text.resize(text.find('\n'));
  EXPECT_LE(text.size(), 100 + std::string("  <- predicted").size());
  EXPECT_NE(text.find("  psyche  psyche"), std::string::npos) << text;
}

TEST(Metrics, CsvIsQuoted) {
  const std::vector<std::string> fields{"plain", "", "R&B, soul", "12\" mix", "two\nlines", " kept "};
  EXPECT_EQ(csv_record(fields), "plain,,\"R&B, soul\",\"12\"\" mix\",\"two\nlines\", kept \r\n");

  ConfusionMatrix matrix({"R&B, soul", "rock"});
  matrix.counts = {{3, 1}, {0, 4}};
  EXPECT_EQ(to_csv(matrix),
            "true\\predicted,\"R&B, soul\",rock\r\n"
            "\"R&B, soul\",3,1\r\n"
            "rock,0,4\r\n");
  EXPECT_EQ(to_csv(classification_report(matrix)),
            "class,precision,recall,f1,support\r\n"
            "\"R&B, soul\",1,0.75,0.8571428571428571,4\r\n"
            "rock,0.8,1,0.8888888888888888,4\r\n");
}

TEST(Metrics, BootstrapOfTracksHasBinomialQuantiles) {
  struct Case {
    int64_t correct, tracks;
    double low, high;
  };
  for (const Case& expected :
       {Case{63, 94, 0.57446809, 0.76595745}, Case{290, 316, 0.88607595, 0.94620253}, Case{5, 10, 0.2, 0.8}}) {
    std::vector<ClusterScore> tracks(static_cast<size_t>(expected.tracks));
    for (int64_t i = 0; i < expected.correct; ++i) tracks[static_cast<size_t>(i)].correct = 1;
    const Accuracy accuracy = bootstrap_accuracy(tracks, 7);
    const double one_track = 1.0 / static_cast<double>(expected.tracks);
    EXPECT_DOUBLE_EQ(accuracy.value, static_cast<double>(expected.correct) * one_track);
    EXPECT_NEAR(accuracy.low, expected.low, 1.001 * one_track);
    EXPECT_NEAR(accuracy.high, expected.high, 1.001 * one_track);
  }
}

TEST(Metrics, BootstrapOfSegmentsDrawsWholeTracks) {
  const std::vector<ClusterScore> tracks{{9, 10}, {0, 4},  {4, 4}, {10, 10}, {3, 10}, {1, 5},
                                         {7, 9},  {2, 10}, {5, 5}, {6, 12},  {0, 7},  {8, 8}};
  const Accuracy accuracy = bootstrap_accuracy(tracks, 7);
  EXPECT_DOUBLE_EQ(accuracy.value, 0.5851063829787234);
  EXPECT_NEAR(accuracy.low, 0.37391304, 0.01);
  EXPECT_NEAR(accuracy.high, 0.78947368, 0.01);
}

TEST(Metrics, BootstrapIsAFunctionOfItsSeed) {
  std::vector<ClusterScore> tracks;
  for (int64_t i = 0; i < 101; ++i) tracks.push_back({i % 7, 7});
  expect_same_bits_at_any_thread_count([&] {
    const Accuracy accuracy = bootstrap_accuracy(tracks, 1);
    return std::vector{static_cast<float>(accuracy.low), static_cast<float>(accuracy.high)};
  });
  EXPECT_NE(bootstrap_accuracy(tracks, 2).low, bootstrap_accuracy(tracks, 1).low);
}

TEST(Metrics, BootstrapOfAPerfectClassifierIsAPoint) {
  const std::vector<ClusterScore> tracks(20, {1, 1});
  const Accuracy accuracy = bootstrap_accuracy(tracks, 7);
  EXPECT_EQ(accuracy.value, 1);
  EXPECT_EQ(accuracy.low, 1);
  EXPECT_EQ(accuracy.high, 1);
}

TEST(Metrics, BootstrapRefusesEmptyInput) {
  EXPECT_THROW(bootstrap_accuracy({}, 7), Error);
  const std::vector<ClusterScore> tracks{{1, 1}, {0, 0}};
  EXPECT_THROW(bootstrap_accuracy(tracks, 7), Error);
}

// The intervals that Newcombe (1998), "Two-sided confidence intervals for the single proportion", gives for Wilson's
// method.
TEST(Metrics, WilsonsIntervalEqualsPublishedOnes) {
  const auto expect_interval = [](int64_t correct, int64_t total, double low, double high) {
    const Accuracy accuracy = wilson_accuracy(correct, total);
    EXPECT_DOUBLE_EQ(accuracy.value, static_cast<double>(correct) / static_cast<double>(total));
    EXPECT_NEAR(accuracy.low, low, 5e-5);
    EXPECT_NEAR(accuracy.high, high, 5e-5);
  };
  expect_interval(81, 263, 0.2553, 0.3662);
  expect_interval(15, 148, 0.0624, 0.1605);
  expect_interval(0, 20, 0, 0.1611);
  expect_interval(1, 29, 0.0061, 0.1718);
  expect_interval(20, 20, 1 - 0.1611, 1);
  EXPECT_THROW(wilson_accuracy(2, 1), Error);
  EXPECT_THROW(wilson_accuracy(0, 0), Error);
}

}  // namespace
}  // namespace melgrad
