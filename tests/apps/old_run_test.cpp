// A run folder of version 0.1.0 (tests/fixtures/run_0.1.0) evaluates, predicts and resumes in every later version.
//
// It was made on write_music_set's music by:
//   melgrad train music --out run --model cnn_bn --crop-frames 32 --n-mels 32 --epochs 3 --batch-size 4 --seed 3
//     --threads 1 --no-cache --test-fraction 0.2
// The expected values are what version 0.1.0 printed and logged itself. Other processors round differently, hence the
// tolerances.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "framework/io/atomic_file.h"
#include "tests/support/audio_files.h"
#include "tests/support/call.h"
#include "tests/support/paths.h"

namespace melgrad::test {
namespace {

using nlohmann::json;

class OldRun : public testing::Test {
 protected:
  OldRun() { fs::copy(fixtures() / "run_0.1.0", run_); }

  json result_of(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--json", "--quiet", "--threads", "1"});
    const Result result = call(arguments);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return json::parse(result.out);
  }

  static std::vector<std::string> lines_of(const std::string& text) {
    std::istringstream stream(text);
    std::vector<std::string> lines;
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
  }

  TemporaryFolder folder_;
  fs::path run_ = folder_ / "run";
  std::string music_ = write_music_set(folder_ / "music").string();
};

TEST_F(OldRun, Evaluates) {
  const json result = result_of({"evaluate", run_.string(), music_, "--no-cache"});
  EXPECT_EQ(result.at("tracks"), 3);
  EXPECT_DOUBLE_EQ(result.at("track_accuracy").get<double>(), 2.0 / 3);
  EXPECT_EQ(result.at("confusion_matrix"), json::parse("[[0, 0, 1], [0, 1, 0], [0, 0, 1]]"));
}

TEST_F(OldRun, Predicts) {
  const json predictions = result_of({"predict", run_.string(), music_ + "/low/low.00000.wav"})[0].at("predictions");
  const std::pair<const char*, double> expected[] = {{"low", 0.369768}, {"middle", 0.338124}, {"high", 0.292107}};
  ASSERT_EQ(predictions.size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(predictions[i].at("label"), expected[i].first);
    EXPECT_NEAR(predictions[i].at("probability").get<double>(), expected[i].second, 1e-3);
  }
}

TEST_F(OldRun, Resumes) {
  const std::vector<std::string> before = lines_of(read_file(run_ / "log.jsonl"));
  result_of({"train", music_, "--out", run_.string(), "--resume", "--epochs", "5"});
  const std::vector<std::string> after = lines_of(read_file(run_ / "log.jsonl"));
  ASSERT_EQ(after.size(), 5u);
  EXPECT_EQ(std::vector(after.begin(), after.begin() + 3), before);
  const double expected_losses[][2] = {{1.038349, 1.084184}, {1.034624, 1.055239}};
  for (size_t i = 0; i < 2; ++i) {
    const json line = json::parse(after[3 + i]);
    EXPECT_NEAR(line.at("train_loss").get<double>(), expected_losses[i][0], 2e-3);
    EXPECT_NEAR(line.at("validation_loss").get<double>(), expected_losses[i][1], 2e-3);
  }
}

}  // namespace
}  // namespace melgrad::test
