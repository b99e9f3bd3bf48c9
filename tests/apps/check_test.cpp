#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "framework/io/atomic_file.h"
#include "tests/support/audio_files.h"
#include "tests/support/call.h"

namespace melgrad::test {
namespace {

using nlohmann::json;

class CheckCommand : public testing::Test {
 protected:
  CheckCommand() { write_music_set(folder_ / "music"); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  void copy_track() const { fs::copy_file(path("music/low/low.00000.wav"), path("music/middle/copy.wav")); }

  Result train(const std::string& data, const std::string& out, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments{"train",       path(data), "--out",  path(out),       "--cache",
                                       path("cache"), "--model",  "cnn",    "--crop-frames", "32",
                                       "--epochs",    "1",        "--json", "--quiet"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return call(arguments);
  }

  // Writes a split with the copied track in the training set and its copy in the test set.
  void write_manifest() const {
    std::string text = "path,label,split\n";
    for (const char* label : {"low", "middle", "high"}) {
      for (int i = 0; i < 6; ++i) {
        text += fmt::format("music/{0}/{0}.0000{1}.wav,{0},{2}\n", label, i, i < 4 ? "train" : "validation");
      }
    }
    write_text(path("manifest.csv"), text + "music/middle/copy.wav,middle,test\n");
  }

  TemporaryFolder folder_;
};

TEST_F(CheckCommand, PrintsTheBalanceAndNothingFound) {
  const Result result = call({"check", path("music"), "--no-cache", "--quiet", "--strict", "--png", path("b.png")});
  EXPECT_EQ(result.exit_code, 0) << result.out;
  EXPECT_EQ(result.err, "");
  expect_contains(result.out, "18 tracks in 3 labels, median length 1.0 s\n22050 Hz: 18 tracks");
  expect_contains(result.out, "middle       6 tracks      0.1 min  " + std::string(40, '#'));
  expect_contains(result.out, "nothing found");
  EXPECT_EQ(read_file(path("b.png")).substr(1, 3), "PNG");
}

TEST_F(CheckCommand, FailsOnFindingsThatAreNotIgnoredWithStrict) {
  copy_track();
  write_text(path("music/low/broken.wav"), "no audio");
  const std::vector<std::string> check{"check", path("music"), "--no-cache", "--quiet"};
  const auto with = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments = check;
    arguments.insert(arguments.end(), more.begin(), more.end());
    return call(arguments);
  };
  const Result result = with({});
  EXPECT_EQ(result.exit_code, 0);
  expect_contains(result.out, "cannot be read (unreadable: 1)");
  expect_contains(result.out, "low/low.00000.wav and middle/copy.wav; their labels differ");
  EXPECT_EQ(with({"--strict"}).exit_code, 1);
  EXPECT_EQ(with({"--strict", "--ignore", "identical,unreadable"}).exit_code, 0);
  EXPECT_EQ(with({"--ignore", "nonsense"}).exit_code, 2);
}

TEST_F(CheckCommand, PrintsJson) {
  copy_track();
  const Result result = call({"check", path("music"), "--no-cache", "--quiet", "--json"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const json report = json::parse(result.out);
  EXPECT_EQ(report.at("tracks"), 19);
  EXPECT_EQ(report.at("labels").at("middle").at("tracks"), 7);
  EXPECT_EQ(report.at("sample_rates").at("22050"), 19);
  ASSERT_EQ(report.at("findings").size(), 1u);
  EXPECT_EQ(report.at("findings")[0].at("kind"), "identical");
  EXPECT_EQ(report.at("findings")[0].at("files"), (std::vector<std::string>{"low/low.00000.wav", "middle/copy.wav"}));
}

TEST_F(CheckCommand, TrainingNamesBothFilesOfALeakAndStopsWithStrict) {
  copy_track();
  write_manifest();
  const Result result = train("manifest.csv", "run");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.err.find("leak: music/low/low.00000.wav (train) and music/middle/copy.wav (test) are one recording: "
                            "the files have the same bytes"),
            std::string::npos)
      << result.err;
  EXPECT_NE(result.err.find("the test side has no track of 2 of 3 labels (high, low)"), std::string::npos)
      << result.err;
  EXPECT_EQ(std::ranges::count(result.err, '\n'), 2) << result.err;
  const json leaks = json::parse(result.out).at("leaks");
  ASSERT_EQ(leaks.size(), 1u);
  EXPECT_EQ(leaks[0].at("second"), "music/middle/copy.wav");
  EXPECT_EQ(leaks[0].at("second_split"), "test");

  const Result strict = train("manifest.csv", "strict", {"--strict"});
  EXPECT_EQ(strict.exit_code, 1);
  expect_contains(strict.err, "music/middle/copy.wav");
  EXPECT_FALSE(fs::exists(path("strict/last.safetensors")));
}

TEST_F(CheckCommand, TrainingOnAGoodSplitPrintsNoWarning) {
  const Result result = train("music", "run", {"--test-fraction", "0.34"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.err, "");
  EXPECT_TRUE(json::parse(result.out).at("leaks").empty());
}

}  // namespace
}  // namespace melgrad::test
