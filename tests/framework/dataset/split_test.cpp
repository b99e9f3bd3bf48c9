#include "framework/dataset/split.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "tests/support/errors.h"
#include "tests/support/paths.h"
#include "tests/support/temporary_folder.h"

namespace melgrad::test {
namespace {

// A data set of `classes` labels with `per_class` tracks each, without groups.
Dataset make_dataset(int classes, int per_class) {
  Dataset dataset;
  dataset.root = dataset.source = "set";
  for (int c = 0; c < classes; ++c) {
    dataset.labels.push_back("class" + std::to_string(c));
    for (int i = 0; i < per_class; ++i) {
      dataset.tracks.push_back({.name = std::to_string(c) + "/" + std::to_string(i), .label = c});
    }
  }
  return dataset;
}

std::vector<int> count_labels(const Dataset& dataset, const std::vector<size_t>& tracks) {
  std::vector<int> counts(dataset.labels.size());
  for (const size_t track : tracks) ++counts[static_cast<size_t>(dataset.tracks[track].label)];
  return counts;
}

void expect_partition(const Dataset& dataset, const Split& split) {
  std::vector<size_t> all;
  for (const auto* side : {&split.train, &split.validation, &split.test}) {
    EXPECT_TRUE(std::ranges::is_sorted(*side));
    all.insert(all.end(), side->begin(), side->end());
  }
  std::ranges::sort(all);
  ASSERT_EQ(all.size(), dataset.tracks.size());
  for (size_t i = 0; i < all.size(); ++i) ASSERT_EQ(all[i], i);
}

void expect_split_error(const Dataset& dataset, const SplitOptions& options, const std::string& words) {
  expect_error([&] { make_split(dataset, options); }, words);
}

TEST(Split, TakesTheSameShareOfEveryClass) {
  const Dataset dataset = make_dataset(10, 100);
  const Split split = make_split(dataset, {.seed = 3, .validation_fraction = 0.25, .test_fraction = 0.2});
  expect_partition(dataset, split);
  EXPECT_EQ(count_labels(dataset, split.test), std::vector<int>(10, 20));
  EXPECT_EQ(count_labels(dataset, split.validation), std::vector<int>(10, 20));
  EXPECT_EQ(count_labels(dataset, split.train), std::vector<int>(10, 60));
}

TEST(Split, RoundsToTheNearestTrack) {
  const Dataset dataset = make_dataset(3, 7);
  for (const auto& [fraction, expected] : {std::pair{0.2, 1}, {0.25, 2}, {0.4, 3}, {0.9, 6}}) {
    const Split split = make_split(dataset, {.validation_fraction = fraction});
    EXPECT_EQ(count_labels(dataset, split.validation), std::vector<int>(3, expected)) << fraction;
  }
}

// The same seed must give these tracks on every machine and in every later version.
TEST(Split, IsAFunctionOfTheSeed) {
  const Dataset dataset = make_dataset(2, 10);
  const SplitOptions options{.seed = 7};
  EXPECT_EQ(make_split(dataset, options), make_split(dataset, options));
  EXPECT_NE(make_split(dataset, {.seed = 7}), make_split(dataset, {.seed = 8}));
  EXPECT_EQ(make_split(dataset, options).validation, (std::vector<size_t>{3, 5, 13, 16}));
}

TEST(Split, DrawsEveryTrackEquallyOften) {
  const Dataset dataset = make_dataset(2, 10);
  std::vector<int> drawn(20);
  constexpr int draws = 2000;
  for (int seed = 0; seed < draws; ++seed) {
    for (const size_t track : make_split(dataset, {.seed = static_cast<uint64_t>(seed)}).validation) ++drawn[track];
  }
  // Binomial with p = 0.2: a mean of 400, a standard deviation of 17.9.
  for (const int count : drawn) EXPECT_NEAR(count, 400, 5 * 17.9);
}

TEST(Split, FoldsCoverEveryTrackOnce) {
  const Dataset dataset = make_dataset(4, 25);
  std::vector<int> tested(dataset.tracks.size());
  for (int fold = 0; fold < 10; ++fold) {
    const Split split = make_split(dataset, {.seed = 1, .fold = fold, .folds = 10});
    expect_partition(dataset, split);
    EXPECT_NEAR(static_cast<double>(split.test.size()), 10, 1);
    for (const int count : count_labels(dataset, split.test)) EXPECT_TRUE(count == 2 || count == 3) << count;
    for (const size_t track : split.test) ++tested[track];
  }
  EXPECT_EQ(tested, std::vector<int>(dataset.tracks.size(), 1));
}

TEST(Split, NeverSeparatesAGroup) {
  Dataset dataset = make_dataset(5, 40);
  // Groups of 1 to 8 tracks, some across two classes.
  for (size_t i = 0, size = 1, left = 1, group = 0; i < dataset.tracks.size(); ++i) {
    dataset.tracks[i].group = "artist" + std::to_string(group);
    if (--left == 0) size = left = size % 8 + 1, ++group;
  }
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const Split split = make_split(dataset, {.seed = seed, .validation_fraction = 0.25, .test_fraction = 0.2});
    expect_partition(dataset, split);
    std::map<std::string, std::set<int>> sides;
    const std::vector<const std::vector<size_t>*> parts{&split.train, &split.validation, &split.test};
    for (int side = 0; side < 3; ++side) {
      for (const size_t track : *parts[static_cast<size_t>(side)]) sides[dataset.tracks[track].group].insert(side);
    }
    for (const auto& [group, where] : sides) EXPECT_EQ(where.size(), 1u) << group;
    for (const int count : count_labels(dataset, split.test)) EXPECT_NEAR(count, 8, 2);
    for (const int count : count_labels(dataset, split.validation)) EXPECT_NEAR(count, 8, 2);
  }
}

TEST(Split, UsesTheFoldsOfGenres4) {
  if (!fs::exists(real_music() / "genres4")) GTEST_SKIP() << "no real music: set MELGRAD_DATA";
  const Dataset dataset = load_dataset(real_music() / "genres4");
  // The numbers of classical, electronic, pop and rock tracks in the manifest, counted by hand.
  const std::vector<std::vector<int>> expected{{20, 20, 20, 20}, {19, 20, 20, 20}, {19, 20, 19, 20}, {20, 20, 20, 19}};
  for (int fold = 0; fold < 4; ++fold) {
    for (uint64_t seed = 0; seed < 3; ++seed) {
      const Split split = make_split(dataset, {.seed = seed, .fold = fold});
      expect_partition(dataset, split);
      EXPECT_EQ(count_labels(dataset, split.test), expected[static_cast<size_t>(fold)]);
      for (const size_t track : split.test) EXPECT_EQ(dataset.tracks[track].fold, fold);
      // A fifth of 58 to 60 tracks a class is 12.
      for (const int count : count_labels(dataset, split.validation)) EXPECT_NEAR(count, 12, 2);
    }
  }
  expect_split_error(dataset, {.fold = 4}, "fold 4 cannot be held out of");
  expect_split_error(dataset, {.fold = 0, .folds = 5}, "defines 4 folds, but 5 are requested");
}

TEST(Split, UsesTheSplitColumn) {
  Dataset dataset = make_dataset(2, 10);
  for (size_t i = 0; i < dataset.tracks.size(); ++i) dataset.tracks[i].split = i % 5 == 0 ? "test" : "train";
  const Split drawn = make_split(dataset, {});
  expect_partition(dataset, drawn);
  EXPECT_EQ(drawn.test, (std::vector<size_t>{0, 5, 10, 15}));
  EXPECT_EQ(count_labels(dataset, drawn.validation), (std::vector<int>{2, 2}));

  dataset.tracks[1].split = "validation";
  const Split named = make_split(dataset, {});
  EXPECT_EQ(named.validation, (std::vector<size_t>{1}));
  EXPECT_EQ(named.train.size(), 15u);

  dataset.tracks[2].split = "";
  expect_split_error(dataset, {}, "0/2 has no split, but other tracks have one");
}

TEST(Split, RefusesALeak) {
  Dataset dataset = make_dataset(2, 3);
  expect_error([&] { check_disjoint(dataset, {{0, 1}, {2}, {1}}); }, "0/1 is listed twice, in train and test");
  expect_error([&] { check_disjoint(dataset, {{0, 0}, {}, {}}); }, "0/0 is listed twice");
  dataset.tracks[0].group = dataset.tracks[4].group = "Nina";
  expect_error(
      [&] {
        check_disjoint(dataset, {{0}, {4}, {}});
      },
      "the group 'Nina' is on two sides: 0/0 in train, 1/1 in validation");
  EXPECT_EQ(error_of([&] { check_disjoint(dataset, {{0, 4}, {1}, {2}}); }), "");

  for (size_t i = 0; i < dataset.tracks.size(); ++i) dataset.tracks[i].fold = i == 0 ? 0 : 1;
  expect_split_error(dataset, {.fold = 0}, "the group 'Nina' is on two sides: 1/1 in train, 0/0 in test");
  for (size_t i = 0; i < dataset.tracks.size(); ++i) dataset.tracks[i].split = i == 0 ? "test" : "train";
  expect_split_error(dataset, {}, "the group 'Nina' is on two sides");
}

TEST(Split, RefusesWrongOptions) {
  Dataset dataset = make_dataset(2, 2);
  expect_split_error(dataset, {.validation_fraction = 1}, "the validation fraction is 1;");
  expect_split_error(dataset, {.validation_fraction = -0.1}, "the validation fraction is -0.1;");
  expect_split_error(dataset, {.test_fraction = std::nan("")}, "the test fraction is nan;");
  expect_split_error(make_dataset(2, 1), {.validation_fraction = 0.1}, "the validation part is empty");
  expect_split_error(dataset, {.fold = 0}, "--folds must give the number of folds: at least 2, not 0");
  expect_split_error(dataset, {.fold = 3, .folds = 3}, "fold 3 cannot be held out of set; its folds are 0, 1, 2");
  dataset.tracks[1].fold = 0;
  expect_split_error(dataset, {.fold = 0}, "0/0 has no fold, but other tracks have one");
}

// A fifth of two tracks rounds to none in every class.
TEST(Split, RoundingLeavesNoSideEmptyThatCouldBeFilled) {
  const Dataset pairs = make_dataset(10, 2);
  const Split split = make_split(pairs, {.validation_fraction = 0.2});
  EXPECT_EQ(split.validation.size(), 4u);
  for (const int count : count_labels(pairs, split.validation)) EXPECT_LE(count, 1);
  for (const int count : count_labels(pairs, split.train)) EXPECT_GE(count, 1);
  expect_partition(pairs, split);
  const Split both = make_split(make_dataset(10, 3), {.validation_fraction = 0.1, .test_fraction = 0.1});
  EXPECT_EQ(both.test.size(), 3u);
  EXPECT_EQ(both.validation.size(), 3u);
  const Split reversed = make_split(pairs, {.validation_fraction = 0.9});
  EXPECT_EQ(reversed.train.size(), 2u);
  EXPECT_EQ(reversed.validation.size(), 18u);
  Dataset grouped = make_dataset(4, 2);
  for (Track& track : grouped.tracks) track.group = "artist of " + std::to_string(track.label);
  expect_split_error(grouped, {.validation_fraction = 0.05}, "the validation part is empty");
}

TEST(Split, NeedsTwoLabels) {
  Dataset dataset{
      .root = "music", .labels = {"rock"}, .tracks = {{.path = "a.wav", .name = "rock/a.wav"}}, .warnings = {}};
  expect_error([&] { make_split(dataset, {}); }, "the only label is 'rock'");
}

}  // namespace
}  // namespace melgrad::test
