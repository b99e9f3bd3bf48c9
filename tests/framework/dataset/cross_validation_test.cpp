// The figures of a cross-validation, against values computed by hand.
#include "framework/dataset/cross_validation.h"

#include "framework/io/atomic_file.h"
#include "tests/support/compare.h"
#include "tests/support/errors.h"
#include "tests/support/temporary_folder.h"

namespace melgrad::test {
namespace {

namespace fs = std::filesystem;

Dataset four_tracks() {
  Dataset dataset{.root = {}, .source = "music", .labels = {"a", "b"}, .tracks = {}, .warnings = {}};
  for (const char* name : {"t0", "t1", "t2", "t3"}) {
    dataset.tracks.push_back({.path = name, .name = name, .label = 0, .group = "", .fold = {}, .split = ""});
  }
  return dataset;
}

FoldResult result(const std::map<std::string, bool>& correct) {
  double sum = 0;
  for (const auto& [track, is_correct] : correct) sum += is_correct ? 1 : 0;
  return {.track_accuracy = sum / static_cast<double>(correct.size()),
          .segment_accuracy = 0.5,
          .macro_f1 = 0.25,
          .correct = correct};
}

// Two folds, two seeds.
FoldResults recipe() {
  return {{{0, 0}, result({{"t0", true}, {"t1", true}})},
          {{0, 1}, result({{"t0", true}, {"t1", false}})},
          {{1, 0}, result({{"t2", true}, {"t3", false}})},
          {{1, 1}, result({{"t2", false}, {"t3", false}})}};
}

TEST(CrossValidation, AveragesOverFoldsAndSeeds) {
  const CrossValidationSummary summary = summarize(recipe(), four_tracks());
  EXPECT_DOUBLE_EQ(summary.track_accuracy.value, 4.0 / 8);
  EXPECT_DOUBLE_EQ(summary.by_fold.at(0).mean, 0.75);
  EXPECT_DOUBLE_EQ(summary.by_fold.at(1).mean, 0.25);
  EXPECT_DOUBLE_EQ(summary.by_seed.at(0).mean, 0.75);
  EXPECT_DOUBLE_EQ(summary.by_seed.at(1).mean, 0.25);
  EXPECT_DOUBLE_EQ(summary.over_folds.deviation, std::sqrt(0.125));  // of 0.75 and 0.25, with n - 1
  EXPECT_DOUBLE_EQ(summary.segment_accuracy.mean, 0.5);
  EXPECT_DOUBLE_EQ(summary.macro_f1.deviation, 0);
}

// If all tracks belong to one group, every bootstrap sample is the whole set. Otherwise samples differ.
TEST(CrossValidation, IntervalDrawsWholeGroups) {
  Dataset dataset = four_tracks();
  const Accuracy apart = summarize(recipe(), dataset).track_accuracy;
  EXPECT_LT(apart.low, apart.high);
  for (Track& track : dataset.tracks) track.group = "one artist";
  const Accuracy together = summarize(recipe(), dataset).track_accuracy;
  EXPECT_DOUBLE_EQ(together.low, 0.5);
  EXPECT_DOUBLE_EQ(together.high, 0.5);
}

TEST(CrossValidation, ComparesTheSameRuns) {
  FoldResults better = recipe();
  better[{1, 1}] = result({{"t2", true}, {"t3", true}});
  better[{1, 2}] = result({{"t2", true}, {"t3", true}});
  const PairedComparison comparison = compare(better, recipe(), four_tracks());
  EXPECT_DOUBLE_EQ(comparison.difference.value, 2.0 / 8);
  EXPECT_GE(comparison.difference.low, 0);
  EXPECT_LE(comparison.difference.high, 0.5);
  EXPECT_EQ(comparison.by_run.size(), 4);
  EXPECT_DOUBLE_EQ(comparison.by_run.at({1, 1}), 1);
  EXPECT_EQ(comparison.only_first, 1);
  EXPECT_EQ(comparison.only_second, 0);
  EXPECT_DOUBLE_EQ(compare(recipe(), better, four_tracks()).difference.value, -0.25);
}

TEST(CrossValidation, RefusesRunsThatCannotBeCompared) {
  FoldResults other = recipe();
  other[{0, 0}] = result({{"t0", true}});
  expect_error([&] { compare(recipe(), other, four_tracks()); }, "fold0_seed0: only one of the recipes evaluated t1");
  expect_error([&] { compare(other, recipe(), four_tracks()); }, "evaluated 1 tracks, the other one 2");
  expect_error(
      [&] {
        compare(recipe(), {{{7, 0}, result({{"t0", true}})}}, four_tracks());
      },
      "no fold and seed in common");
  other = {{{0, 0}, result({{"unknown", true}})}};
  expect_error([&] { summarize(other, four_tracks()); }, "music has no track unknown");
}

TEST(CrossValidation, ReadsEvaluationsAndNamesBrokenOnes) {
  TemporaryFolder folder;
  expect_error([&] { read_fold_results(folder / "missing", "test"); }, "cannot read");
  fs::create_directories(folder / "fold3_seed12" / "test");
  fs::create_directories(folder / "fold3_seedx" / "test");
  expect_error([&] { read_fold_results(folder.path(), "test"); }, "has no run that was evaluated on its test tracks");
  write_file_atomically(folder / "fold3_seed12/test/report.json",
                        R"({"track_accuracy": 0.5, "segment_accuracy": 0.25, "macro_f1": 0.125})");
  write_file_atomically(folder / "fold3_seed12/test/predictions.csv",
                        "path,label,predicted\r\n\"x, y\",a,a\r\nz,a,b\r\n");
  const FoldResults results = read_fold_results(folder.path(), "test");
  ASSERT_EQ(results.size(), 1);
  const FoldResult& read = results.at({3, 12});
  EXPECT_EQ(read.track_accuracy, 0.5);
  EXPECT_EQ(read.correct, (std::map<std::string, bool>{{"x, y", true}, {"z", false}}));

  write_file_atomically(folder / "fold3_seed12/test/predictions.csv", "path,label,predicted\nx,a\n");
  expect_error([&] { read_fold_results(folder.path(), "test"); }, "predictions.csv:2: a line needs path, label");
  write_file_atomically(folder / "fold3_seed12/test/report.json", R"({"track_accuracy": "high"})");
  expect_error([&] { read_fold_results(folder.path(), "test"); }, "report.json has no number track_accuracy");
  write_file_atomically(folder / "fold3_seed12/test/report.json", "{");
  expect_error([&] { read_fold_results(folder.path(), "test"); }, "report.json is not valid JSON");
}

}  // namespace
}  // namespace melgrad::test
