// Runs that are killed or interrupted and then resumed, as real processes with real signals.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "framework/io/atomic_file.h"
#include "framework/io/safetensors.h"
#include "kernels/device/philox.h"
#include "tests/support/audio_files.h"
#include "tests/support/errors.h"
#include "tests/support/event_file.h"
#include "tests/support/program.h"

namespace melgrad::test {
namespace {

class Resume : public testing::Test {
 protected:
  std::vector<std::string> training(const fs::path& run, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments{"train",         (folder_ / "music").string(),
                                       "--out",         run.string(),
                                       "--cache",       (folder_ / "cache").string(),
                                       "--model",       "cnn_bn",
                                       "--crop-frames", "32",
                                       "--epochs",      "6",
                                       "--batch-size",  "4",
                                       "--seed",        "3",
                                       "--threads",     "2"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }

  int run(const std::vector<std::string>& arguments) { return Program(arguments, folder_ / "output").wait(); }
  std::string output() const { return read_file(folder_ / "output"); }

  fs::path uninterrupted() {
    const fs::path run_folder = folder_ / "uninterrupted";
    EXPECT_EQ(run(training(run_folder)), 0) << output();
    return run_folder;
  }

  static void expect_same_run(const fs::path& a, const fs::path& b) {
    for (const char* file : {"training.safetensors", "last.safetensors", "best.safetensors"}) {
      EXPECT_TRUE(read_file(a / file) == read_file(b / file)) << file << " differs";
    }
    EXPECT_EQ(log_without_times(a), log_without_times(b));
    for (const fs::path& run_folder : {a, b}) expect_events_of_the_log(run_folder);
  }

  // One event for each epoch, also if the run was killed and resumed.
  static void expect_events_of_the_log(const fs::path& run_folder) {
    ASSERT_EQ(event_files_in(run_folder).size(), 1u);
    std::vector<std::pair<int64_t, float>> losses, expected;
    std::vector<std::string> pictures;
    for (const ReadEvent& event : read_event_file(event_files_in(run_folder)[0])) {
      if (!event.scalars.empty()) losses.emplace_back(event.step, event.scalars.at("loss/validation"));
      for (const auto& [name, png] : event.pictures) pictures.push_back(name);
    }
    for (const nlohmann::json& line : log_without_times(run_folder))
      expected.emplace_back(line.at("epoch"), line.at("validation_loss").get<float>());
    EXPECT_EQ(losses, expected);
    EXPECT_EQ(pictures, (std::vector<std::string>{"training crop", "confusion of the validation tracks"}));
  }

  static std::vector<nlohmann::json> log_without_times(const fs::path& run_folder) {
    std::vector<nlohmann::json> lines;
    std::ifstream file(run_folder / "log.jsonl");
    for (std::string line; std::getline(file, line);) {
      lines.push_back(nlohmann::json::parse(line));
      for (const char* key : {"seconds", "tracks_per_second", "time"}) lines.back().erase(key);
    }
    return lines;
  }

  TemporaryFolder folder_;
  fs::path music_ = write_music_set(folder_ / "music");
};

TEST_F(Resume, TheFirstEpochGivesAnEstimateOfTheRemainingTime) {
  ASSERT_EQ(run(training(folder_ / "run")), 0) << output();
  const std::string text = output();
  expect_contains(text, "\n  5 more epochs will take about 0:");
  EXPECT_EQ(text.find("more epoch"), text.rfind("more epoch"));
  ASSERT_EQ(run(training(folder_ / "run", {"--resume", "--epochs", "8"})), 0) << output();
  expect_contains(output(), "\n  1 more epoch will take about 0:");
}

TEST_F(Resume, AfterKillsAtRandomMomentsGivesTheSameBits) {
  const fs::path expected = uninterrupted(), killed = folder_ / "killed";
  int kills = 0, exit_code = -1;
  for (uint64_t attempt = 0; exit_code != 0; ++attempt) {
    ASSERT_LT(attempt, 200u) << "the run makes no progress between kills";
    // Checkpoints after every epoch, so rarely that epochs are lost, and so often that epochs are resumed halfway.
    const char* const checkpoint_seconds[] = {"0", "60", "0.001"};
    std::vector<std::string> more{"--checkpoint-seconds", checkpoint_seconds[attempt % 3]};
    if (fs::exists(killed / "training.safetensors")) more.emplace_back("--resume");
    Program program(training(killed, more), folder_ / "output");
    // Up to 12 kills at random moments. The delays grow with the attempts, so that slow machines make progress.
    if (kills < 12) {
      const double seconds = uniform(philox(7, attempt, 0).v[0]) * (0.05 + 0.05 * static_cast<double>(attempt));
      std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
      if (program.running()) ++kills;
      program.send(SIGKILL);
    }
    exit_code = program.wait();
    ASSERT_TRUE(exit_code == 0 || exit_code == -SIGKILL) << output();
    if (fs::exists(killed / "training.safetensors")) {
      EXPECT_NO_THROW(read_safetensors(killed / "training.safetensors"));
    }
  }
  EXPECT_GT(kills, 0);
  expect_same_run(expected, killed);
}

TEST_F(Resume, AfterCtrlCInTheMiddleOfAnEpochGivesTheSameBits) {
  const fs::path expected = uninterrupted(), stopped = folder_ / "stopped";
  {
    Program program(training(stopped), folder_ / "output");
    program.run_until([&] { return fs::exists(stopped / "log.jsonl") && fs::file_size(stopped / "log.jsonl") > 0; });
    program.send(SIGINT);
    EXPECT_EQ(program.wait(), 130);
    EXPECT_NE(output().find("--resume"), std::string::npos) << output();
  }
  EXPECT_EQ(run({"train", music_.string(), "--out", stopped.string(), "--resume"}), 0) << output();
  expect_same_run(expected, stopped);
}

TEST_F(Resume, NeedsARunAndANewRunNeedsAnEmptyFolder) {
  EXPECT_EQ(run(training(folder_ / "none", {"--resume", "--config", "/dev/null"})), 1);
  EXPECT_NE(output().find("holds no training.safetensors"), std::string::npos) << output();
  const fs::path existing = uninterrupted();
  EXPECT_EQ(run(training(existing)), 1);
  EXPECT_NE(output().find("already holds a run"), std::string::npos) << output();
}

TEST_F(Resume, RefusesOptionsThatWouldMakeItAnotherRun) {
  const fs::path run_folder = uninterrupted();
  EXPECT_EQ(run({"train", "--out", run_folder.string(), "--resume", "--seed", "4"}), 1);
  EXPECT_NE(output().find("--resume cannot change --seed: the run has 3, the command line 4"), std::string::npos)
      << output();
  EXPECT_EQ(run({"train", "--out", run_folder.string(), "--resume", "--epochs", "7"}), 0) << output();
  EXPECT_EQ(log_without_times(run_folder).size(), 7u);
}

TEST_F(Resume, ALogLineWrittenInPartIsWrittenAgain) {
  const fs::path expected = uninterrupted(), torn = folder_ / "torn";
  EXPECT_EQ(run(training(torn, {"--epochs", "6"})), 0) << output();
  const std::string log = read_file(torn / "log.jsonl");
  write_text(torn / "log.jsonl", log + log.substr(0, 40));
  EXPECT_EQ(run({"train", "--out", torn.string(), "--resume"}), 0) << output();
  expect_same_run(expected, torn);
}

TEST_F(Resume, RefusesOtherLabels) {
  const fs::path run_folder = uninterrupted();
  const std::string split = read_file(run_folder / "split.csv");
  fs::rename(music_ / "low", music_ / "bass");
  std::string renamed = split;
  for (size_t at = 0; (at = renamed.find("low/", at)) != std::string::npos;) renamed.replace(at, 3, "bass");
  write_text(run_folder / "split.csv", renamed);
  EXPECT_EQ(run({"train", "--out", run_folder.string(), "--resume"}), 1);
  EXPECT_NE(output().find("6 labels changed: bass/low.00000.wav (bass, was low), "), std::string::npos) << output();
}

TEST_F(Resume, ANonFiniteLossNamesTheStepTheFilesAndTheCheckpoint) {
  const fs::path run_folder = folder_ / "diverged";
  EXPECT_EQ(run(training(run_folder, {"--learning-rate", "1e30", "--warmup-epochs", "0", "--quiet"})), 1);
  const std::string message = output();
  EXPECT_NE(message.find("at step "), std::string::npos) << message;
  EXPECT_NE(message.find(".wav"), std::string::npos) << message;
  EXPECT_NE(message.find("training.safetensors"), std::string::npos) << message;
  EXPECT_EQ(std::count(message.begin(), message.end(), '\n'), 1) << message;
  EXPECT_NO_THROW(read_safetensors(run_folder / "training.safetensors"));
}

TEST_F(Resume, ReadsTheTableOfLabelsOfTheRunAgain) {
  std::string table = "file,genre\n";
  for (const auto& entry : fs::recursive_directory_iterator(music_)) {
    if (!entry.is_regular_file()) continue;
    table += fmt::format("{},{}\n", fs::relative(entry.path(), music_).string(),
                         entry.path().parent_path().filename().string());
  }
  write_text(folder_ / "table.csv", table);
  const fs::path run_folder = folder_ / "labelled";
  ASSERT_EQ(run(training(run_folder, {"--labels", (folder_ / "table.csv").string(), "--path-column", "file",
                                      "--label-column", "genre", "--epochs", "1"})),
            0)
      << output();
  EXPECT_EQ(run({"train", "--out", run_folder.string(), "--resume", "--epochs", "2"}), 0) << output();
}

}  // namespace
}  // namespace melgrad::test
