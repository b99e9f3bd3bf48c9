// Processes that receive signals other than Ctrl-C, have a clock that goes backwards or too little memory.
#include <fmt/format.h>

#include <cctype>
#include <nlohmann/json.hpp>

#include "framework/io/safetensors.h"
#include "tests/support/fault_test.h"

namespace melgrad::test {
namespace {

class FaultSignal : public FaultTest {
 protected:
  // Trains and sends all `signals` after the first epoch. Returns the exit code.
  int signal_training(const fs::path& run, std::initializer_list<int> signals, const std::string& script = "") {
    Program program(training(run, 10000, {"--quiet"}), folder_ / "output", script);
    EXPECT_TRUE(program.run_until([&] { return has_epoch(run); })) << output();
    for (const int number : signals) program.send(number);
    return program.wait();
  }
};

TEST_F(FaultSignal, SavesAndPrintsTheCommandToResume) {
  for (const auto& [number, code] : {std::pair(SIGTERM, 143), std::pair(SIGHUP, 129)}) {
    const fs::path run_folder = folder_ / std::to_string(number);
    EXPECT_EQ(signal_training(run_folder, {number}), code);
    expect_one_line("resume with: melgrad train " + music() + " --out " + run_folder.string() + " --resume");
    const SafeTensors left = read_safetensors(run_folder / "training.safetensors");
    const auto epochs = nlohmann::json::parse(left.metadata.at("training")).at("epoch").get<int>() + 1;
    EXPECT_EQ(run(training(run_folder, epochs, {"--quiet", "--resume"})), 0) << output();
    EXPECT_EQ(run(training(folder_ / "whole", epochs, {"--quiet"})), 0) << output();
    EXPECT_TRUE(read_file(run_folder / "last.safetensors") == read_file(folder_ / "whole/last.safetensors"));
    fs::remove_all(folder_ / "whole");
  }
}

TEST_F(FaultSignal, ASecondHangupDoesNotEndTheProcess) {
  EXPECT_EQ(signal_training(folder_ / "run", {SIGHUP, SIGHUP}), 129);
  expect_one_line("--resume");
}

TEST_F(FaultSignal, IgnoresHangupUnderNohup) {
  EXPECT_EQ(signal_training(folder_ / "run", {SIGHUP, SIGTERM}, R"(trap '' HUP; exec "$@")"), 143);
}

TEST_F(FaultSignal, SynthLeavesOnlyCompleteTracks) {
  const fs::path set = folder_ / "set";
  Program program({"synth", set.string(), "--tracks-per-genre", "1000", "--quiet"}, folder_ / "output");
  ASSERT_TRUE(program.run_until([&] { return fs::exists(set / "blues/blues.00003.wav"); })) << output();
  program.send(SIGTERM);
  EXPECT_EQ(program.wait(), 143);
  expect_one_line("run the command again to write all of them");
  EXPECT_EQ(unfinished_files(set), 0);
  const auto size = fs::file_size(set / "blues/blues.00000.wav");
  for (const auto& entry : fs::recursive_directory_iterator(set)) {
    if (entry.is_regular_file() && entry.path().extension() == ".wav") {
      EXPECT_EQ(entry.file_size(), size) << entry.path();
    }
  }
}

TEST_F(FaultSignal, ACrashIsReportedInOneLine) {
  for (const auto& [limits, words] :
       {std::pair("", "please report"), std::pair("ulimit -v $((1 << 40));", "ulimit -v")}) {
    const fs::path run_folder = folder_ / words;
    EXPECT_EQ(signal_training(run_folder, {SIGABRT}, fmt::format(R"(ulimit -c 0; {} exec "$@")", limits)), -SIGABRT);
    expect_one_line(words);
  }
}

#if !defined(__SANITIZE_ADDRESS__)
// AddressSanitizer must be the first library of a process and needs terabytes of address space.

TEST_F(FaultSignal, AWallClockThatGoesBackwardsDoesNotMatter) {
  EXPECT_EQ(run(training(folder_ / "run", 3), "export LD_PRELOAD=" BACKWARD_CLOCK "; exec \"$@\""), 0) << output();
  std::ifstream log(folder_ / "run/log.jsonl");
  for (std::string line; std::getline(log, line);) EXPECT_GT(nlohmann::json::parse(line).at("seconds"), 0) << line;
  const std::string text = output();  // must contain no negative rate or time
  for (size_t i = text.find('-'); i != std::string::npos; i = text.find('-', i + 1)) {
    const bool hyphen = i > 0 && std::isalpha(static_cast<unsigned char>(text[i - 1])) != 0;  // AVX-512
    EXPECT_FALSE(!hyphen && std::isdigit(static_cast<unsigned char>(text[i + 1]))) << text;
  }
}

TEST_F(FaultSignal, TooLittleMemoryIsReportedInOneLine) {
  // These batches need more than the limit on any machine.
  EXPECT_EQ(run(training(folder_ / "large", 1, {"--quiet", "--batch-size", "60000", "--crops-per-track", "1000"}),
                R"(ulimit -v 1000000; exec "$@")"),
            1);
  expect_one_line("out of memory");
  expect_contains(output(), "--batch-size");
}
#endif

}  // namespace
}  // namespace melgrad::test
