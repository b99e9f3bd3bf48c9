// melgrad cross-validate as a real process, because it starts others.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "framework/io/atomic_file.h"
#include "tests/support/audio_files.h"
#include "tests/support/errors.h"
#include "tests/support/program.h"

namespace melgrad::test {
namespace {

using nlohmann::json;

class CrossValidate : public testing::Test {
 protected:
  std::vector<std::string> arguments(const std::string& out, const std::vector<std::string>& more) const {
    std::vector<std::string> result{"cross-validate", (folder_ / "music").string(), "--out", (folder_ / out).string()};
    result.insert(result.end(), more.begin(), more.end());
    return result;
  }
  std::vector<std::string> small(const std::string& out, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> result = arguments(
        out, {"--cache", (folder_ / "cache").string(), "--folds", "2", "--seeds", "2", "--jobs", "2", "--threads", "1",
              "--model", "cnn_bn", "--crop-frames", "32", "--epochs", "1", "--warmup-epochs", "0"});
    result.insert(result.end(), more.begin(), more.end());
    return result;
  }
  int run(const std::vector<std::string>& words) { return Program(words, folder_ / "output").wait(); }
  std::string output() const { return read_file(folder_ / "output"); }
  json result_of(const std::string& out) const { return json::parse(read_file(folder_ / out / "test.json")); }

  TemporaryFolder folder_;
  fs::path music_ = write_music_set(folder_ / "music");
};

TEST_F(CrossValidate, HoldsOutEveryTrackOncePerSeedAndComparesRecipes) {
  ASSERT_EQ(run(small("cv")), 0) << output();
  const json result = result_of("cv");
  ASSERT_EQ(result.at("runs").size(), 4);
  size_t tracks = 0;
  for (const auto& entry : fs::recursive_directory_iterator(music_)) tracks += entry.path().extension() == ".wav";
  for (const int seed : {0, 1}) {
    size_t held_out = 0;
    for (const json& one : result.at("runs")) held_out += one.at("seed") == seed ? one.at("tracks").get<size_t>() : 0;
    EXPECT_EQ(held_out, tracks);
  }
  expect_contains(output(), "run 4 of 4");

  // A repeated call evaluates nothing again; the same runs differ by 0.
  ASSERT_EQ(run(small("cv", {"--resume", "--against", (folder_ / "cv").string()})), 0) << output();
  expect_contains(output(), "4 of 4 runs are finished already");
  EXPECT_EQ(result_of("cv").at("comparison").at("difference").at("value"), 0.0);
  EXPECT_EQ(result_of("cv").at("runs"), result.at("runs"));
}

TEST_F(CrossValidate, NamesADeviceThatDoesNotExistBeforeItMakesAFolder) {
  EXPECT_EQ(run(small("cv", {"--device", "cuda:99"})), 1);
  expect_contains(output(), "use --device cpu");
  EXPECT_FALSE(fs::exists(folder_ / "cv"));
}

TEST_F(CrossValidate, KeepsToTheCacheLimitInTrainingsAndEvaluations) {
  EXPECT_EQ(run(small("cv", {"--cache-limit", "20"})), 2);
  EXPECT_FALSE(fs::exists(folder_ / "cv"));
  ASSERT_EQ(run(small("cv", {"--cache-limit", "0.1MB", "--seeds", "1", "--jobs", "1"})), 0) << output();
  uintmax_t bytes = 0;
  for (const auto& entry : fs::directory_iterator(folder_ / "cache/shards")) bytes += entry.file_size();
  EXPECT_GT(bytes, 0u);
  EXPECT_LE(bytes, 110'000u);  // all features take 400 kB
}

TEST_F(CrossValidate, ContinuesAfterAKillWithTheSameResults) {
  ASSERT_EQ(run(small("whole")), 0) << output();
  {
    Program program(small("killed"), folder_ / "output");
    ASSERT_TRUE(program.run_until([&] { return fs::exists(folder_ / "killed/fold0_seed0/training.safetensors"); }));
    program.send(SIGKILL);
    program.wait();
  }
  // The children, which get SIGTERM, may still hold their run folders.
  for (int attempt = 0; attempt < 100 && run(small("killed", {"--resume"})) != 0; ++attempt) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  EXPECT_EQ(result_of("killed").at("runs"), result_of("whole").at("runs")) << output();
}

// As Ctrl-C does, the signal goes to the whole process group.
TEST_F(CrossValidate, CtrlCLetsTheRunsSaveTheirState) {
  Program program(small("cv", {"--epochs", "100000", "--jobs", "1"}), folder_ / "output", R"(exec setsid "$@")");
  ASSERT_TRUE(program.run_until([&] { return fs::exists(folder_ / "cv/fold0_seed0/log.jsonl"); }));
  kill(-program.pid(), SIGINT);
  EXPECT_EQ(program.wait(), 130);
  expect_contains(output(), "interrupted; resume with the same command and --resume");
  expect_contains(read_file(folder_ / "cv/fold0_seed0.log"), "interrupted in epoch ");
}

TEST_F(CrossValidate, RefusesWhatItCannotDo) {
  const auto expect_failure = [&](const std::vector<std::string>& words, int exit_code, const std::string& message) {
    EXPECT_EQ(run(words), exit_code);
    expect_contains(output(), message);
  };
  expect_failure(arguments("x", {"--fold", "1"}), 2, "cross-validate chooses --fold for every run");
  expect_failure(arguments("x", {}), 1, "has no fold column, so --folds must give the number of folds");
  expect_failure(small("x", {"--folds", "1"}), 1, "--folds must give the number of folds: at least 2");
  expect_failure(small("bad", {"--learning-rate", "1e30"}), 1, "the training of fold");
  expect_contains(output(), "--resume");
  expect_failure(small("bad"), 1, "already holds a cross-validation");
  expect_failure(small("bad", {"--resume", "--mixup", "0"}), 1, "--resume cannot change --mixup: the run has 0.3");
}

}  // namespace
}  // namespace melgrad::test
