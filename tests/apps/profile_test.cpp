#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "framework/io/atomic_file.h"
#include "tests/support/audio_files.h"
#include "tests/support/call.h"
#include "tests/support/png_size.h"
#include "tests/support/temporary_folder.h"

namespace melgrad::test {
namespace {

using nlohmann::json;

class ProfileCommand : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    music_ = new TemporaryFolder;
    write_music_set(*music_ / "music");
    const Result trained = call({"train", in("music"), "--out", in("run"), "--cache", in("cache"), "--model", "cnn_bn",
                                 "--crop-frames", "32", "--batch-size", "4", "--epochs", "1", "--quiet"});
    ASSERT_EQ(trained.exit_code, 0) << trained.err;
  }
  static void TearDownTestSuite() { delete music_; }
  static std::string in(const std::string& name) { return (*music_ / name).string(); }

  static std::vector<std::string> train_with(const std::vector<std::string>& more) {
    std::vector<std::string> arguments{"profile", "train",         in("music"), "--cache",      in("cache"), "--model",
                                       "cnn_bn",  "--crop-frames", "32",        "--batch-size", "4",         "--quiet"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
  static json parsed(const std::vector<std::string>& arguments) {
    const Result result = call(arguments);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_EQ(result.err, "");
    return json::parse(result.out);
  }
  // The calls of a kernel in a phase; 0 if there are none.
  static int64_t calls(const json& report, const std::string& phase, const std::string& kernel) {
    int64_t count = 0;
    for (const json& part : report.at("phases")) {
      for (const json& row : part.at("kernels")) {
        if (part.at("phase") == phase && row.at("kernel") == kernel) count += row.at("calls").get<int64_t>();
      }
    }
    return count;
  }
  static double accounted(const json& report) {
    double seconds = report.at("unaccounted_seconds").get<double>();
    for (const json& phase : report.at("phases")) {
      seconds += phase.at("seconds_outside_kernels").get<double>();
      for (const json& row : phase.at("kernels")) seconds += row.at("seconds").get<double>();
    }
    return seconds;
  }

  static inline TemporaryFolder* music_ = nullptr;
};

TEST_F(ProfileCommand, TrainCountsTheCallsOfItsSteps) {
  const json report = parsed(train_with({"--warmup", "1", "--count", "5", "--json"}));
  EXPECT_EQ(report.at("command"), "train");
  EXPECT_EQ(report.at("unit"), "step");
  EXPECT_EQ(report.at("count"), 5);
  EXPECT_EQ(report.at("warmup"), 1);
  EXPECT_EQ(calls(report, "optimizer", "adam_step"), 5);
  EXPECT_EQ(calls(report, "loss", "cross_entropy"), 5);
  EXPECT_EQ(calls(report, "data", "crop"), 5);
  EXPECT_EQ(calls(report, "metrics", "batch_metrics"), 5);
  // The input of the first convolution needs no gradient.
  const int64_t convolutions = calls(report, "forward", "conv2d_forward");
  EXPECT_GT(convolutions, 0);
  EXPECT_EQ(calls(report, "backward", "conv2d_backward_filter"), convolutions);
  EXPECT_EQ(calls(report, "backward", "conv2d_backward_data"), convolutions - 5);
  EXPECT_GT(report.at("ceilings").at("cpu").at("flops_per_second"), 0);
  EXPECT_GT(report.at("peak_bytes").at("cpu"), 0);
  // On one thread nothing overlaps.
  EXPECT_NEAR(accounted(report), report.at("seconds").get<double>(), 1e-6);
  EXPECT_GE(report.at("unaccounted_seconds"), 0);
}

TEST_F(ProfileCommand, TrainLeavesNoRunFolder) {
  const std::string out = in("unused");
  std::vector<std::string> arguments = train_with({"--out", out, "--warmup", "0", "--count", "1"});
  std::erase(arguments, "--quiet");
  const Result result = call(arguments);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  expect_contains(result.err, "--out is not used");
  EXPECT_FALSE(fs::exists(out));
  expect_contains(result.out, "Unaccounted");
  expect_contains(result.out, "adam_step");
}

TEST_F(ProfileCommand, TrainMeasuresStepsOfARunWithoutChangingIt) {
  const std::string before = read_file(in("run") + "/training.safetensors");
  const json report = parsed(
      {"profile", "train", "--out", in("run"), "--resume", "--count", "2", "--warmup", "0", "--quiet", "--json"});
  EXPECT_EQ(calls(report, "optimizer", "adam_step"), 2);
  EXPECT_TRUE(read_file(in("run") + "/training.safetensors") == before);
}

TEST_F(ProfileCommand, PredictIsMeasuredWithTheLoadingOfItsModel) {
  const json report =
      parsed({"profile", "predict", in("run"), in("music/low/low.00000.wav"), "--count", "2", "--quiet", "--json"});
  EXPECT_EQ(report.at("unit"), "run");
  std::set<std::string> phases;
  for (const json& phase : report.at("phases")) phases.insert(phase.at("phase"));
  for (const char* phase : {"load model", "decode", "log-mel", "forward"}) EXPECT_TRUE(phases.contains(phase)) << phase;
  EXPECT_EQ(calls(report, "log-mel", "limit_dynamic_range"), 2);
  EXPECT_GT(calls(report, "forward", "conv2d_forward"), 0);
}

TEST_F(ProfileCommand, WritesATraceAndARoofline) {
  const std::string trace = in("trace.json"), roofline = in("roofline.png");
  const Result result = call(train_with({"--warmup", "0", "--count", "2", "--trace", trace, "--roofline", roofline}));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const json events = json::parse(read_file(trace)).at("traceEvents");
  const auto steps = std::ranges::count_if(events, [](const json& event) { return event.at("name") == "step"; });
  EXPECT_EQ(steps, 2);
  EXPECT_GT(png_size(roofline).width, 1000);
  expect_refused(train_with({"--trace", trace, "--roofline", trace}), "both name", 2);
}

TEST_F(ProfileCommand, MelIsMeasured) {
  const json report =
      parsed({"profile", "mel", in("music/low/low.00000.wav"), "--warmup", "1", "--count", "3", "--quiet", "--json"});
  EXPECT_EQ(calls(report, "log-mel", "limit_dynamic_range"), 3);
}

TEST_F(ProfileCommand, RefusesWhatItCannotMeasure) {
  expect_refused({"profile", "evaluate"}, "there is no command 'evaluate'; the commands are train, predict, mel", 2);
  expect_refused({"profile"}, "profile needs a command: train, predict, mel", 2);
  expect_refused(train_with({"--profile-steps", "1:2"}), "--profile-steps", 2);
  expect_refused(train_with({"--resume"}), "--resume needs --out", 2);
  expect_refused(train_with({"--count", "0"}), "--count", 2);
  expect_refused(train_with({"--traec", "x"}), "did you mean --trace?", 2);
}

TEST_F(ProfileCommand, HelpAndManualDescribeIt) {
  const Result help = call({"profile", "train", "--help"});
  EXPECT_EQ(help.exit_code, 0);
  for (const char* option : {"--warmup", "--count", "--trace FILE", "--roofline FILE", "--batch-size"}) {
    expect_contains(help.out, option);
  }
  expect_contains(call({"profile", "--help"}).out, "melgrad profile predict runs/first song.mp3");
  expect_contains(call({"completion", "man"}).out, ".SS melgrad profile train");
}

}  // namespace
}  // namespace melgrad::test
