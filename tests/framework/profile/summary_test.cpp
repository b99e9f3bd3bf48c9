#include "framework/profile/summary.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "framework/layers.h"
#include "framework/ops.h"
#include "framework/optimizer.h"
#include "framework/profile/intervals.h"
#include "framework/profile/roofline_picture.h"
#include "framework/profile/trace.h"
#include "framework/random.h"
#include "tests/support/devices.h"
#include "tests/support/errors.h"
#include "tests/support/exact_convolution.h"
#include "tests/support/png_size.h"
#include "tests/support/temporary_folder.h"

namespace melgrad::test {
namespace {

using nlohmann::json;

TEST(Intervals, AreMergedAndSubtracted) {
  const Intervals all = merged({{5, 6}, {0, 2}, {1, 3}, {3, 4}});
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].end, 4);
  EXPECT_DOUBLE_EQ(length(all), 5);
  EXPECT_DOUBLE_EQ(length(without(all, merged({{1, 2}, {3.5, 5.5}}))), 3);
  EXPECT_DOUBLE_EQ(length(without(all, all)), 0);
  EXPECT_DOUBLE_EQ(length(without(all, {})), 5);
  EXPECT_DOUBLE_EQ(length(without({{0, 1}, {2, 3}}, {{0.5, 2.5}})), 1);
}

ProfiledRange range_of(RangeKind kind, const std::string& name, int parent, Interval time, KernelCost cost = {}) {
  return {.kind = kind,
          .name = name,
          .parent = parent,
          .thread = 0,
          .device = Device::cpu,
          .host = time,
          .time = time,
          .call = {.cost = cost, .arguments = {}}};
}

// 10 s: the phase "outer" from 0 to 6 with "inner" from 3 to 5; a call of two seconds in each, and one in neither.
Profile example() {
  return {.seconds = 10,
          .ranges = {range_of(RangeKind::phase, "outer", -1, {0, 6}),
                     range_of(RangeKind::kernel, "add", 0, {0.5, 2.5}, {.flops = 4e9, .bytes = 8e9}),
                     range_of(RangeKind::phase, "inner", 0, {3, 5}), range_of(RangeKind::module, "layer", 2, {3, 5}),
                     range_of(RangeKind::kernel, "add", 3, {3, 5}, {.flops = 1e9, .bytes = 2e9}),
                     // Work of the kernel above, which calls it.
                     range_of(RangeKind::kernel, "mul", 4, {3, 4}, {.flops = 1e9, .bytes = 2e9}),
                     range_of(RangeKind::kernel, "conv", -1, {8, 8.5}, {.flops = 1e9, .bytes = 1, .algorithm = "W"})}};
}

TEST(ProfileSummary, AssignsTimeToPhasesAndKernels) {
  const ProfileSummary summary = summarize(example());
  ASSERT_EQ(summary.phases.size(), 3U);
  const auto& [outer, inner, other] = std::tie(summary.phases[0], summary.phases[1], summary.phases[2]);
  EXPECT_EQ(outer.name, "outer");
  EXPECT_DOUBLE_EQ(outer.seconds, 4);
  EXPECT_DOUBLE_EQ(outer.outside_kernels, 2);
  ASSERT_EQ(outer.kernels.size(), 1U);
  EXPECT_DOUBLE_EQ(outer.kernels[0].flops_per_second(), 2e9);
  EXPECT_DOUBLE_EQ(outer.kernels[0].bytes_per_second(), 4e9);
  EXPECT_DOUBLE_EQ(inner.seconds, 2);
  EXPECT_DOUBLE_EQ(inner.outside_kernels, 0);
  ASSERT_EQ(inner.kernels.size(), 1U) << "a kernel inside a kernel is part of it";
  EXPECT_EQ(other.name, "other");
  EXPECT_DOUBLE_EQ(other.kernels.at(0).seconds, 0.5);
  EXPECT_DOUBLE_EQ(summary.unaccounted, 3.5);
  EXPECT_EQ(summary.total(Device::cpu).calls, 3);
  EXPECT_DOUBLE_EQ(summary.total(Device::cpu).seconds + outer.outside_kernels + summary.unaccounted, 10);
  EXPECT_EQ(summary.total(Device::cuda).calls, 0);
}

TEST(ProfileSummary, IsPrintedForPeopleAndPrograms) {
  const ProfileSummary summary = summarize(example());
  const Workload workload{.command = "train", .unit = "step", .count = 2, .device = "a machine"};
  const DeviceCeilings ceilings{{Device::cpu, {.flops_per_second = 20e9, .bytes_per_second = 10e9}}};
  const std::string text = table_text(summary, workload, ceilings);
  expect_contains(text, "train: 2 steps in 10.000 s, 5000.000 ms a step, on a machine");
  // calls, ms and share; GFLOP/s, GB/s; shares of the ceilings
  const auto squeezed = [&] {
    std::string words;
    for (const char c : text) {
      if (c != ' ' || !words.ends_with(' ')) words += c;
    }
    return words;
  }();
  expect_contains(squeezed, "outer add 0.5 1000.000 20.0% 2.0 4.0 10.0 40.0");
  expect_contains(squeezed, "outer outside kernels 1000.000 20.0%");
  expect_contains(squeezed, "other conv (W*) 0.5 250.000 5.0% 2.0");
  expect_contains(squeezed, "Unaccounted 1750.000 35.0%");
  expect_contains(text, "* GFLOP/s as of a direct sum");

  const json report = json::parse(to_json(summary, workload, ceilings).dump());
  EXPECT_EQ(report.at("count"), 2);
  EXPECT_EQ(report.at("unaccounted_seconds"), 3.5);
  const json& kernel = report.at("phases").at(0).at("kernels").at(0);
  EXPECT_EQ(kernel.at("calls"), 1);
  EXPECT_EQ(kernel.at("flops"), 4e9);
  EXPECT_EQ(kernel.at("share_of_copy_ceiling"), 0.4);
  EXPECT_TRUE(report.at("phases").at(2).at("kernels").at(0).at("flops_are_those_of_a_direct_sum"));
}

class ProfiledStep : public testing::TestWithParam<Device> {
 protected:
  void SetUp() override {
    MELGRAD_SKIP_WITHOUT(GetParam());
    profile_ = record();
  }

  // One step of SGD with momentum of a net of a convolution (1 to 4 channels, 3x3, no bias), ReLU, a global average and
  // a linear layer (4 to 3) on 2 images of 6x5.
  static Profile record() {
    manual_seed(1);
    const Tensor x = Tensor::full({2, 6, 5, 1}, 0.5f, GetParam()), targets = Tensor::full({2, 3}, 0.25f, GetParam());
    Conv2d conv(1, 4, {.padding = 1, .bias = false});
    Linear linear(4, 3);
    conv.move_to(GetParam());
    linear.move_to(GetParam());
    profiler::start();
    const Tensor h = relu(conv(x));
    cross_entropy(linear(flatten(adaptive_avg_pool2d(h, 1, 1))), targets).backward();
    return profiler::stop();
  }

  Profile profile_;
};

// flops and bytes by phase and kernel.
TEST_P(ProfiledStep, CountsWhatItsShapesImply) {
  struct Work {
    double flops, bytes;
  };
  // 60 pixels: x 60, conv's w 36, y 240 values; linear's w 12.
  const std::map<std::string, Work> forward{{"conv2d_forward", {2 * 60 * 9 * 4, 4 * (60 + 36 + 240)}},
                                            {"relu_forward", {240, 4 * 480}},
                                            {"adaptive_avg_pool2d_forward", {240 + 8, 4 * 248}},
                                            {"linear_forward", {2 * 2 * 4 * 3 + 6, 4 * (8 + 12 + 6 + 3)}},
                                            {"cross_entropy", {14 * 6, 4 * (6 + 6 + 6 + 1)}}};
  const std::map<std::string, Work> backward{{"scale", {6, 4 * 13}},
                                             {"linear_backward_data", {48, 4 * 26}},
                                             {"linear_backward_weight", {48, 4 * 26}},
                                             {"column_sum", {6, 4 * 9}},
                                             {"adaptive_avg_pool2d_backward", {480, 4 * 248}},
                                             {"relu_backward", {240, 4 * 720}},
                                             {"conv2d_backward_filter", {2 * 60 * 9 * 4, 4 * (60 + 36 + 240)}}};
  const ProfileSummary summary = summarize(profile_);
  ASSERT_EQ(summary.phases.size(), 2U);
  for (const auto& [phase, expected] : {std::pair("other", forward), std::pair("backward", backward)}) {
    const auto found = std::ranges::find(summary.phases, phase, &PhaseSummary::name);
    ASSERT_NE(found, summary.phases.end()) << phase;
    EXPECT_EQ(found->kernels.size(), expected.size()) << phase;
    for (const KernelSummary& kernel : found->kernels) {
      ASSERT_TRUE(expected.contains(kernel.name)) << kernel.name;
      EXPECT_EQ(kernel.calls, 1) << kernel.name;
      EXPECT_EQ(kernel.flops, expected.at(kernel.name).flops) << kernel.name;
      EXPECT_EQ(kernel.bytes, expected.at(kernel.name).bytes) << kernel.name;
    }
  }
}

TEST_P(ProfiledStep, TimesAddUpToTheWallTime) {
  const ProfileSummary summary = summarize(profile_);
  const double kernels = summary.total(GetParam()).seconds;
  double seconds = kernels + summary.unaccounted;
  for (const PhaseSummary& phase : summary.phases) seconds += phase.outside_kernels;
  EXPECT_GT(kernels, 0);
  EXPECT_LE(kernels, summary.seconds);
  EXPECT_NEAR(seconds, summary.seconds, 1e-9 + (GetParam() == Device::cpu ? 0 : 0.01 * summary.seconds));
}

TEST_P(ProfiledStep, BecomesATraceWithARowForEachThreadAndStream) {
  const json trace = json::parse(trace_events(profile_).dump());
  std::map<int, std::string> rows;
  std::map<std::string, int> slices;
  for (const json& event : trace.at("traceEvents")) {
    const std::string type = event.at("ph");
    ASSERT_TRUE(event.at("pid").is_number_integer());
    if (type == "M") {
      if (event.at("name") == "thread_name") rows[event.at("tid")] = event.at("args").at("name");
      continue;
    }
    ASSERT_EQ(type, "X");
    EXPECT_TRUE(rows.contains(event.at("tid"))) << "a slice before the name of its row";
    EXPECT_GE(event.at("ts").get<double>(), 0);
    EXPECT_GE(event.at("dur").get<double>(), 0);
    EXPECT_LE(event.at("ts").get<double>() + event.at("dur").get<double>(), 1e6 * profile_.seconds * 1.01);
    EXPECT_TRUE(event.at("args").is_object());
    ++slices[rows.at(event.at("tid")) + ": " + event.at("name").get<std::string>()];
    if (event.at("name") == "conv2d_forward") {
      EXPECT_EQ(event.at("cat"), "kernel");
      EXPECT_EQ(event.at("args").at("conv"), "2x6x5x1 with 4 filters of 3x3, stride 1, padding 1");
      EXPECT_EQ(event.at("args").at("flops"), 4320);
    }
  }
  EXPECT_EQ(slices.at("thread 0: conv2d_forward"), 1);
  EXPECT_EQ(slices.at("thread 0: backward"), 1);
  EXPECT_EQ(slices.at("thread 0: linear"), 1);  // the backward function of the op
  EXPECT_EQ(slices.contains("stream of cuda: conv2d_forward"), GetParam() == Device::cuda);
}

TEST_P(ProfiledStep, IsDrawnAsARoofline) {
  const TemporaryFolder folder;
  const Ceilings ceilings{.flops_per_second = 1e11, .bytes_per_second = 2e10};
  const Workload workload{.command = "train", .unit = "step", .count = 1, .device = "a machine"};
  const auto path = folder / "roofline.png";
  draw_roofline(path, summarize(profile_), workload, GetParam(), ceilings);
  const auto [width, height] = png_size(path);
  EXPECT_GT(width, 1000);
  EXPECT_GT(height, 500);
  expect_error([&] { draw_roofline(path, {}, workload, GetParam(), ceilings); }, "no kernel");
}

INSTANTIATE_TEST_SUITE_P(Devices, ProfiledStep, testing::ValuesIn(devices_of_build), name_of_device);

TEST(Ceilings, ArePositive) {
  for (const Device device : available_devices()) {
    const Ceilings ceilings = measure_ceilings(Stream::of(device), DType::float32);
    EXPECT_GT(ceilings.flops_per_second, 0);
    EXPECT_GT(ceilings.bytes_per_second, 0);
  }
}

}  // namespace
}  // namespace melgrad::test
