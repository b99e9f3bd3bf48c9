// Outputs that cannot be written: each is reported in one line with an exit code, and no other result is lost.
#include <sys/resource.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "framework/io/safetensors.h"
#include "tests/support/fault_test.h"

namespace melgrad::test {
namespace {

class FaultOutput : public FaultTest {
 protected:
  // Makes every write to a file fail while the program runs. Its messages go through a pipe.
  static constexpr const char* no_space = R"({ (ulimit -f 0; "$@"); echo "exit $?"; } 2>&1 | cat)";

  void expect_exit_1_and_one_line(const std::string& words) const {
    const std::string text = output();
    EXPECT_TRUE(text.ends_with("exit 1\n")) << text;
    EXPECT_EQ(lines(text), 2) << text;
    expect_contains(text, words);
    expect_contains(text, "raise the limit");
  }

  fs::path short_run() {
    EXPECT_EQ(run(training(folder_ / "run", 1, {"--quiet"})), 0) << output();
    return folder_ / "run";
  }
};

TEST_F(FaultOutput, UnwritableStdoutIsAFailure) {
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"summary", "cnn"}, {"--help"}}) {
    EXPECT_EQ(run(arguments, R"("$@" > /dev/full)"), 1);
    expect_one_line("cannot write the results to stdout: No space left on device");
    EXPECT_EQ(run(arguments, R"("$@" >&-)"), 1);
    expect_one_line("cannot write the results to stdout: Bad file descriptor");
  }
}

TEST_F(FaultOutput, AClosedPipeEndsItQuietly) {
  const std::string model = short_run().string();
  const std::string to_nobody = R"({ sleep 0.1; "$@"; echo "exit $?" >&2; } | :)";
  EXPECT_EQ(run({"predict", model, music(), "--quiet"}, to_nobody), 0);
  EXPECT_EQ(output(), "exit 141\n");
  EXPECT_EQ(run({"predict", model, music(), "--quiet", "--json"}, to_nobody), 0);
  EXPECT_EQ(output(), "exit 141\n");
  // The result files are written nevertheless.
  EXPECT_EQ(run({"evaluate", model, music(), "--quiet", "--cache", (folder_ / "cache").string()}, to_nobody), 0);
  EXPECT_EQ(output(), "exit 141\n");
  EXPECT_TRUE(fs::exists(folder_ / "run/evaluation/confusion.png"));
}

TEST_F(FaultOutput, UnwritableStderrStopsNothing) {
  for (const char* script : {R"("$@" 2> /dev/full)", R"("$@" 2>&-)", R"("$@" <&- >&- 2>&-)"}) {
    fs::remove_all(folder_ / "run");
    const int code = run(training(folder_ / "run", 2), script);
    EXPECT_EQ(code, std::string(script).find(">&- 2") == std::string::npos ? 0 : 1) << script;
    for (const char* file : {"training.safetensors", "last.safetensors"}) {
      EXPECT_NO_THROW(read_safetensors(folder_ / "run" / file)) << script;
    }
    EXPECT_EQ(lines(read_file(folder_ / "run/log.jsonl")), 2) << script;
  }
}

TEST_F(FaultOutput, EveryCommandThatWritesReportsAFullDisk) {
  const std::string model = short_run().string(), track = music() + "/low/low.00000.wav";
  for (const char* kind : {"--npy", "--png"}) {
    run({"mel", track, kind, (folder_ / "file").string(), "--quiet"}, no_space);
    expect_exit_1_and_one_line("cannot write " + (folder_ / "file").string());
  }
  run({"synth", (folder_ / "set").string(), "--tracks-per-genre", "1", "--quiet"}, no_space);
  expect_exit_1_and_one_line("cannot write " + (folder_ / "set").string());
  run(training(folder_ / "other", 1), no_space);
  expect_exit_1_and_one_line("cannot write " + (folder_ / "other").string());
  run({"evaluate", model, music(), "--quiet", "--cache", (folder_ / "cache").string()}, no_space);
  expect_exit_1_and_one_line("cannot write " + (folder_ / "run/evaluation").string());
  const std::string page = (folder_ / "page.html").string(), drawing = (folder_ / "model.svg").string();
  run({"report", model, "--out", page, "--no-check", "--quiet", "--cache", (folder_ / "cache").string()}, no_space);
  expect_exit_1_and_one_line("cannot write " + page);
  run({"explain", model, track, "--png", (folder_ / "file").string(), "--quiet"}, no_space);
  expect_exit_1_and_one_line("cannot write " + (folder_ / "file").string());
  run({"summary", "cnn", "--svg", drawing}, no_space);
  expect_exit_1_and_one_line("cannot write " + drawing);
  EXPECT_EQ(unfinished_files(folder_.path()), 0);
}

TEST_F(FaultOutput, AnUnwritableCacheIsANote) {
  const std::string model = short_run().string();
  run({"evaluate", model, music(), "--cache", (folder_ / "new").string()}, no_space);
  expect_contains(output(), "features are not cached: cannot write");
  EXPECT_EQ(unfinished_files(folder_.path()), 0);
}

TEST_F(FaultOutput, AFolderWithoutWritePermissionIsNamed) {
  EXPECT_EQ(run(training("/proc/melgrad", 1)), 1);
  expect_one_line("cannot create the folder /proc/melgrad: ");
  EXPECT_EQ(run({"synth", "/proc/melgrad"}), 1);
  expect_one_line("cannot create the folder /proc/melgrad: ");
  const std::string model = short_run().string();
  EXPECT_EQ(run({"evaluate", model, music(), "--quiet", "--out", "/proc/melgrad"}), 1);
  expect_one_line("cannot create the folder /proc/melgrad: ");
}

TEST_F(FaultOutput, ADiskThatFillsDuringTrainingLosesNoCheckpoint) {
  const fs::path full = folder_ / "full";
  {
    Program program(training(full, 10000, {"--quiet"}), folder_ / "output");
    ASSERT_TRUE(program.run_until([&] { return has_epoch(full); })) << output();
    const rlimit less_than_a_checkpoint{100'000, 100'000};
    prlimit(program.pid(), RLIMIT_FSIZE, &less_than_a_checkpoint, nullptr);
    EXPECT_EQ(program.wait(), 1);
    expect_one_line("resume with: melgrad train " + music() + " --out " + full.string() + " --resume");
  }
  const SafeTensors left = read_safetensors(full / "training.safetensors");
  const auto epochs = nlohmann::json::parse(left.metadata.at("training")).at("epoch").get<int>() + 1;
  EXPECT_EQ(unfinished_files(full), 0);
  EXPECT_EQ(run(training(full, epochs, {"--quiet", "--resume"})), 0) << output();
  EXPECT_EQ(run(training(folder_ / "whole", epochs, {"--quiet"})), 0) << output();
  EXPECT_TRUE(read_file(full / "last.safetensors") == read_file(folder_ / "whole/last.safetensors"));
}

TEST_F(FaultOutput, AFolderDeletedDuringTrainingIsReported) {
  const fs::path run_folder = folder_ / "run";
  for (const bool replaced : {false, true}) {
    Program program(training(run_folder, 10000, {"--quiet"}), folder_ / "output");
    ASSERT_TRUE(program.run_until([&] { return has_epoch(run_folder); })) << output();
    if (replaced) {
      const fs::path successor = folder_ / "successor";
      write_text(successor / "training.lock", "process 1 on another machine\n");
      renameat2(AT_FDCWD, successor.c_str(), AT_FDCWD, run_folder.c_str(), RENAME_EXCHANGE);
    } else {
      fs::rename(run_folder, folder_ / "elsewhere");
    }
    EXPECT_EQ(program.wait(), 1);
    expect_one_line(run_folder.string() + " was deleted while training wrote to it");
    EXPECT_EQ(
        output().find("process 1 on another machine is training in a new folder of that name") != std::string::npos,
        replaced);
    // A write in progress during the exchange may still reach the successor.
    EXPECT_EQ(fs::exists(run_folder), replaced);
  }
}

TEST_F(FaultOutput, ARunFolderTakesOneTrainingAtATime) {
  const fs::path run_folder = folder_ / "run";
  Program first(training(run_folder, 10000, {"--quiet"}), folder_ / "first");
  ASSERT_TRUE(first.run_until([&] { return has_epoch(run_folder); })) << read_file(folder_ / "first");
  char host[256] = {};
  gethostname(host, sizeof host - 1);
  const std::string holder = "process " + std::to_string(first.pid()) + " on " + host;
  for (const char* option : {"--quiet", "--resume"}) {
    EXPECT_EQ(run(training(run_folder, 10000, {option})), 1);
    expect_one_line(holder + " is training in " + run_folder.string() + ";");
  }
  EXPECT_TRUE(first.running());
  // The lock file of a killed process does not block the next training.
  first.send(SIGKILL);
  first.wait();
  EXPECT_TRUE(read_file(run_folder / "training.lock").starts_with(holder));
  const SafeTensors left = read_safetensors(run_folder / "training.safetensors");
  const auto epochs = nlohmann::json::parse(left.metadata.at("training")).at("epoch").get<int>() + 1;
  EXPECT_EQ(run(training(run_folder, epochs, {"--quiet", "--resume"})), 0) << output();
}

}  // namespace
}  // namespace melgrad::test
