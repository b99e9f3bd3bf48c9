#include "kernels/device/profiler.h"

#include <gtest/gtest.h>

#include <thread>

#include "kernels/arithmetic.h"
#include "kernels/conv2d.h"
#include "tests/support/arrays.h"
#include "tests/support/devices.h"
#include "tests/support/errors.h"

namespace melgrad::test {
namespace {

class Profiler : public testing::TestWithParam<Device> {
 protected:
  void SetUp() override { MELGRAD_SKIP_WITHOUT(GetParam()); }
  Stream& stream() const { return Stream::of(GetParam()); }

  // One call of add on 1000 elements.
  void add_once() {
    const size_t bytes = 4000;
    void* const block = stream().allocate(bytes);
    stream().zero(block, bytes);
    kernel::add(stream(), block, block, block, DType::float32, 1000);
    stream().release(block);
  }
};

TEST_P(Profiler, RecordsCallsAndTheRangesAroundThem) {
  add_once();  // before the recording
  profiler::start();
  {
    const ProfilerRange phase(stream(), "forward", RangeKind::phase);
    const ProfilerRange module(stream(), "layer1", RangeKind::module);
    add_once();
    add_once();
  }
  add_once();
  const Profile profile = profiler::stop();
  add_once();  // after it
  ASSERT_EQ(profile.ranges.size(), 5U);
  const std::vector<std::string> names{"forward", "layer1", "add", "add", "add"};
  const std::vector<int> parents{-1, 0, 1, 1, -1};
  for (size_t i = 0; i < names.size(); ++i) {
    const ProfiledRange& range = profile.ranges[i];
    EXPECT_EQ(range.name, names[i]);
    EXPECT_EQ(range.parent, parents[i]) << i;
    EXPECT_EQ(range.device, GetParam());
    EXPECT_GE(range.host.begin, 0);
    EXPECT_LE(range.host.begin, range.host.end);
    EXPECT_LE(range.host.end, profile.seconds);
    EXPECT_LE(range.time.begin, range.time.end);
    EXPECT_LE(range.time.end, profile.seconds);
  }
  const ProfiledRange& call = profile.ranges[2];
  EXPECT_EQ(call.kind, RangeKind::kernel);
  EXPECT_EQ(call.call.cost.flops, 1000);
  EXPECT_EQ(call.call.cost.bytes, 12000);
  EXPECT_EQ(call.call.arguments, (KernelArguments{{"dtype", "float32"}, {"n", "1000"}}));
}

TEST_P(Profiler, TellsTheMostMemoryInUseDuringARange) {
  const size_t before = stream().memory().used;
  profiler::start();
  {
    const ProfilerRange outer(stream(), "outer");
    {
      const ProfilerRange inner(stream(), "inner");
      stream().release(stream().allocate(size_t{1} << 20));
    }
    const ProfilerRange later(stream(), "later");
  }
  const Profile profile = profiler::stop();
  EXPECT_EQ(profile.ranges[0].peak_bytes, before + (size_t{1} << 20));
  EXPECT_EQ(profile.ranges[1].peak_bytes, before + (size_t{1} << 20));
  EXPECT_EQ(profile.ranges[2].peak_bytes, before);
  EXPECT_GE(profile.peak_bytes[static_cast<size_t>(GetParam())], before + (size_t{1} << 20));
}

TEST_P(Profiler, EndsOpenRangesWithTheRecording) {
  profiler::start();
  {
    const ProfilerRange open(stream(), "open");
    EXPECT_EQ(profiler::stop().ranges.at(0).host.end >= 0, true);
    profiler::start();
    // The end of the range of the first recording must not end one of the second.
    profiler::begin_range(stream(), RangeKind::op, "second");
  }
  const Profile second = profiler::stop();
  EXPECT_EQ(second.ranges.at(0).host.end, second.seconds);
  expect_error([] { profiler::stop(); }, "not recording");
}

TEST_P(Profiler, KeepsThreadsApart) {
  profiler::start();
  {
    const ProfilerRange here(Stream::of(Device::cpu), "here");
    std::thread([] { const ProfilerRange there(Stream::of(Device::cpu), "there"); }).join();
  }
  const Profile profile = profiler::stop();
  EXPECT_EQ(profile.ranges.at(0).thread, 0);
  EXPECT_EQ(profile.ranges.at(1).thread, 1);
  EXPECT_EQ(profile.ranges.at(1).parent, -1);
}

INSTANTIATE_TEST_SUITE_P(Devices, Profiler, testing::ValuesIn(devices_of_build), name_of_device);

TEST(KernelArguments, HaveTheNamesOfTheDeclaration) {
  EXPECT_EQ(kernel::name_arguments("const void* x, Maxima<uint8_t, void> maxima, DType dtype, int64_t n, float * y",
                                   {"", "two", "float32", "3", "4"}),
            (KernelArguments{{"maxima", "two"}, {"dtype", "float32"}, {"n", "3"}, {"y", "4"}}));
  EXPECT_EQ(kernel::argument_text(kernel::Conv2d{.batch = 2,
                                                 .height = 3,
                                                 .width = 4,
                                                 .in_channels = 5,
                                                 .out_channels = 6,
                                                 .kernel_height = 1,
                                                 .kernel_width = 3,
                                                 .stride = 2,
                                                 .padding = 0}),
            "2x3x4x5 with 6 filters of 1x3, stride 2, padding 0");
}

}  // namespace
}  // namespace melgrad::test
