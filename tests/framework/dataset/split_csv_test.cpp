#include "framework/dataset/split_csv.h"

#include <gtest/gtest.h>

#include "tests/support/errors.h"
#include "tests/support/temporary_folder.h"

namespace melgrad::test {
namespace {

Dataset example() {
  Dataset dataset{.root = "music", .labels = {"a", "b, \"c\""}, .tracks = {}, .warnings = {}};
  for (const char* name : {"one.wav", "two, \"2\".wav", "three.wav", "four.wav"}) {
    dataset.tracks.push_back({.path = name, .name = name, .label = static_cast<int>(dataset.tracks.size() % 2)});
  }
  return dataset;
}

TEST(SplitCsv, ReadsWhatItWrote) {
  const TemporaryFolder folder;
  const Split split{.train = {0, 3}, .validation = {1}, .test = {2}};
  write_split_csv(folder / "split.csv", example(), split);
  EXPECT_EQ(read_split_csv(folder / "split.csv", example()), split);
}

TEST(SplitCsv, NamesAMissingTrackAndAnInvalidLine) {
  const TemporaryFolder folder;
  write_split_csv(folder / "split.csv", example(), {.train = {0, 3}, .validation = {1}, .test = {2}});
  Dataset smaller = example();
  smaller.tracks.pop_back();
  expect_error([&] { read_split_csv(folder / "split.csv", smaller); },
               "split.csv:3: the data set music has no track four.wav");
  write_text(folder / "split.csv", "path,label,split\none.wav,a,dev\n");
  expect_error([&] { read_split_csv(folder / "split.csv", example()); }, "split.csv:2");
}

}  // namespace
}  // namespace melgrad::test
