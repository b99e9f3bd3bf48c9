#include "framework/dataset/split_csv.h"

#include <gtest/gtest.h>

#include "tests/support/errors.h"
#include "tests/support/temporary_folder.h"

namespace melgrad::test {
namespace {

Dataset example_dataset() {
  Dataset dataset{.root = "music", .labels = {"a", "b, \"c\""}, .tracks = {}, .warnings = {}};
  for (const char* name : {"one.wav", "two, \"2\".wav", "three.wav", "four.wav"}) {
    dataset.tracks.push_back({.path = name, .name = name, .label = static_cast<int>(dataset.tracks.size() % 2)});
  }
  return dataset;
}

TEST(SplitCsv, ReadsWhatItWrote) {
  const TemporaryFolder folder;
  const Split split{.train = {0, 3}, .validation = {1}, .test = {2}};
  write_split_csv(folder / "split.csv", example_dataset(), split);
  EXPECT_EQ(read_split_csv(folder / "split.csv", example_dataset()), split);
}

TEST(SplitCsv, NamesAMissingTrackAndAnInvalidLine) {
  const TemporaryFolder folder;
  write_split_csv(folder / "split.csv", example_dataset(), {.train = {0, 3}, .validation = {1}, .test = {2}});
  Dataset smaller = example_dataset();
  smaller.tracks.pop_back();
  expect_error([&] { read_split_csv(folder / "split.csv", smaller); },
               "split.csv:3: the data set music has no track four.wav");
  write_text(folder / "split.csv", "path,label,split\none.wav,a,dev\n");
  expect_error([&] { read_split_csv(folder / "split.csv", example_dataset()); }, "split.csv:2");
}

TEST(SplitCsv, NamesTracksThatChanged) {
  const TemporaryFolder folder;
  const fs::path file = folder / "split.csv";
  const TrackContents contents{{0, "aa"}, {1, "bb"}, {3, "dd"}};
  write_split_csv(file, example_dataset(), {.train = {0, 3}, .validation = {1}, .test = {2}}, contents);
  require_same_tracks(file, example_dataset(), contents);
  Dataset relabelled = example_dataset();
  relabelled.tracks[2].label = 1;  // a test track
  expect_error([&] { require_same_tracks(file, relabelled, contents); },
               "1 labels changed: three.wav (b, \"c\", was a); restore the data");
  expect_error(
      [&] {
        require_same_tracks(file, example_dataset(), {{0, "aa"}, {1, "cc"}, {3, "ee"}});
      },
      "2 recordings changed: four.wav, two, \"2\".wav; restore");
  expect_error(
      [&] {
        require_same_tracks(file, example_dataset(), {{0, "aa"}, {1, "bb"}});
      },
      "1 recordings can no longer be read: four.wav");
}

TEST(SplitCsv, AFileWithoutContentsIsComparedByLabelsOnly) {
  const TemporaryFolder folder;
  const fs::path file = write_text(folder / "split.csv", "path,label,split\none.wav,a,train\n");
  require_same_tracks(file, example_dataset(), {{0, "anything"}});
  EXPECT_EQ(read_split_csv(file, example_dataset()).train, (std::vector<size_t>{0}));
}

}  // namespace
}  // namespace melgrad::test
