// Fails every test during which a kernel had a data race. Two writes of equal values are no failure. Tests of the meter
// itself (*Meter*, LastBlock*) take the measurements of their kernels before.
#include <gtest/gtest.h>

#include "kernels/device/emulated/meter/meter.h"
#include "kernels/device/emulated/meter/report.h"

namespace {

class RaceListener final : public testing::EmptyTestEventListener {
  void OnTestStart(const testing::TestInfo&) override { emulated_cuda::start_meter({.sum_launches = true}); }
  void OnTestEnd(const testing::TestInfo&) override {
    emulated_cuda::stop_meter();
    EXPECT_EQ(emulated_cuda::describe_races(emulated_cuda::take_measurements()), "");
  }
};

[[maybe_unused]] const bool is_registered = [] {
  testing::UnitTest::GetInstance()->listeners().Append(new RaceListener);
  return true;
}();

}  // namespace
