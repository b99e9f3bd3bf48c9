// A fixture for tests that run the program under faults: a tiny music set, training arguments, checks of the output.
#pragma once

#include <gtest/gtest.h>

#include "framework/io/atomic_file.h"
#include "tests/support/audio_files.h"
#include "tests/support/errors.h"
#include "tests/support/program.h"

namespace melgrad::test {

class FaultTest : public testing::Test {
 protected:
  std::string music() {
    if (!fs::exists(folder_ / "music")) write_music_set(folder_ / "music");
    return (folder_ / "music").string();
  }

  // The arguments of a training. With 10,000 epochs it does not end before the test interrupts it.
  std::vector<std::string> training(const fs::path& run, int epochs, const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments{"train",         music(),
                                       "--out",         run.string(),
                                       "--cache",       (folder_ / "cache").string(),
                                       "--model",       "cnn",
                                       "--n-mels",      "32",
                                       "--crop-frames", "32",
                                       "--epochs",      std::to_string(epochs),
                                       "--schedule",    "constant",
                                       "--threads",     "2"};
    arguments.insert(arguments.end(), {"--checkpoint-seconds", "0"});
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }

  int run(const std::vector<std::string>& arguments, const std::string& script = "") {
    return Program(arguments, folder_ / "output", script).wait();
  }
  std::string output() const { return read_file(folder_ / "output"); }

  static bool has_epoch(const fs::path& run) {
    std::error_code error;
    const auto size = fs::file_size(run / "log.jsonl", error);
    return !error && size > 0;
  }

  static int64_t lines(const std::string& text) { return std::count(text.begin(), text.end(), '\n'); }

  // Expects the program to have printed one line, "melgrad: ..." with `words` in it.
  void expect_one_line(const std::string& words) const {
    const std::string text = output();
    EXPECT_EQ(lines(text), 1) << text;
    EXPECT_TRUE(text.starts_with("melgrad: ")) << text;
    expect_contains(text, words);
  }

  static int64_t unfinished_files(const fs::path& folder) {
    int64_t count = 0;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) count += entry.path().extension() == ".tmp";
    return count;
  }

  TemporaryFolder folder_;
};

}  // namespace melgrad::test
