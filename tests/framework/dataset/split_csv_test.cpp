#include "framework/dataset/split_csv.h"

#include <gtest/gtest.h>

#include "tests/support/music_folder.h"

namespace melgrad::test {
namespace {

Dataset example() {
  Dataset dataset{.root = "music", .labels = {"a", "b, \"c\""}, .tracks = {}, .warnings = {}};
  for (const char* name : {"one.wav", "two, \"2\".wav", "three.wav", "four.wav"}) {
    dataset.tracks.push_back({.path = name, .name = name, .label = static_cast<int>(dataset.tracks.size() % 2)});
  }
  return dataset;
}

TEST(SplitCsv, TellsWhatWasWritten) {
  const TemporaryFolder folder;
  const Split split{.train = {0, 3}, .validation = {1}, .test = {2}};
  write_split_csv(folder / "split.csv", example(), split);
  EXPECT_EQ(read_split_csv(folder / "split.csv", example()), split);
}

TEST(SplitCsv, NamesTheTrackThatIsMissingAndTheLineThatIsNone) {
  const TemporaryFolder folder;
  write_split_csv(folder / "split.csv", example(), {.train = {0, 3}, .validation = {1}, .test = {2}});
  Dataset smaller = example();
  smaller.tracks.pop_back();
  const std::string missing = error_of([&] { read_split_csv(folder / "split.csv", smaller); });
  EXPECT_NE(missing.find("split.csv:3: the data set music has no track four.wav"), std::string::npos) << missing;
  write_text(folder / "split.csv", "path,label,split\none.wav,a,dev\n");
  const std::string unknown = error_of([&] { read_split_csv(folder / "split.csv", example()); });
  EXPECT_NE(unknown.find("split.csv:2"), std::string::npos) << unknown;
}

}  // namespace
}  // namespace melgrad::test
