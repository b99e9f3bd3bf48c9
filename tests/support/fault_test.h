// What tests of faults share: a tiny set of music, the arguments of a training on it, and what became of a program.
#pragma once

#include <gtest/gtest.h>

#include "framework/io/atomic_file.h"
#include "tests/support/music_set.h"
#include "tests/support/program.h"

namespace melgrad::test {

class FaultTest : public testing::Test {
 protected:
  std::string music() {
    if (!fs::exists(folder_ / "music")) write_music_set(folder_ / "music");
    return (folder_ / "music").string();
  }

  // Long enough, at 10,000 epochs, for what is to happen to it.
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

  // Of a program that failed with one line, which holds `words`.
  void expect_one_line(const std::string& words) const {
    const std::string text = output();
    EXPECT_EQ(lines(text), 1) << text;
    EXPECT_TRUE(text.starts_with("melgrad: ")) << text;
    EXPECT_NE(text.find(words), std::string::npos) << text;
  }

  static int64_t unfinished_files(const fs::path& folder) {
    int64_t count = 0;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) count += entry.path().extension() == ".tmp";
    return count;
  }

  TemporaryFolder folder_;
};

}  // namespace melgrad::test
