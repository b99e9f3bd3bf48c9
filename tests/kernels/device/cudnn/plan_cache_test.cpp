// The choice of plans by simulated timings, and the file that keeps it.
#include "kernels/device/cudnn/plan_cache.cuh"

#include <algorithm>
#include <vector>

#include "kernels/device/error.h"
#include "kernels/device/stream.h"
#include "tests/kernels/device/cudnn/chip.h"
#include "tests/kernels/device/cudnn/notes.h"
#include "tests/support/errors.h"
#include "tests/support/temporary_folder.h"

namespace melgrad::test {
namespace {

using kernel::Convolution;
using kernel::ConvolutionPass;
using kernel::cudnn::EngineChoice;
using kernel::cudnn::ExecutionPlan;
using kernel::cudnn::PlanCache;
using kernel::cudnn::PlanFile;

const Convolution convolution{ConvolutionPass::backward_filter, DType::bfloat16, typical_convolution};

class PlanCacheTest : public ChipTest {
 protected:
  // The cache of a new process.
  PlanCache cache() const { return {chip("h200"), "h200", PlanFile(folder_ / "plans.json")}; }

  // A timing function that records the plans it measures. The one with index `fastest` is the fastest.
  PlanCache::Measure clock(size_t fastest) {
    return [this, fastest](const ExecutionPlan& plan) {
      measured_.push_back(plan.configuration.choice);
      return measured_.size() - 1 == fastest ? 1.0f : 2.0f;
    };
  }

  std::vector<EngineChoice> measured_;

 private:
  TemporaryFolder folder_;
};

TEST_F(PlanCacheTest, ChoosesTheFastestAndKeepsIt) {
  PlanCache plans = cache();
  EXPECT_EQ(plans.find(convolution, false), nullptr);
  const ExecutionPlan& chosen = plans.choose(convolution, false, clock(3));
  ASSERT_EQ(measured_.size(), 10u);
  EXPECT_EQ(chosen.configuration.choice, measured_[3]);
  EXPECT_EQ(plans.find(convolution, false), &chosen);
  EXPECT_EQ(plans.find(convolution, true), nullptr);
}

TEST_F(PlanCacheTest, TheNextProcessUsesTheKeptPlan) {
  const EngineChoice chosen = cache().choose(convolution, false, clock(3)).configuration.choice;
  measured_.clear();
  const std::string notes = notes_of([&] {
    PlanCache next = cache();
    EXPECT_EQ(next.choose(convolution, false, clock(0)).configuration.choice, chosen);
  });
  EXPECT_EQ(measured_, std::vector{chosen});
  EXPECT_EQ(notes, "");
}

TEST_F(PlanCacheTest, AKeptPlanThatNoLongerRunsIsReplacedWithANote) {
  const EngineChoice broken = cache().choose(convolution, false, clock(3)).configuration.choice;
  const auto without_it = [&](const ExecutionPlan& plan) -> float {
    if (plan.configuration.choice == broken) fail("it is broken");
    return 1;
  };
  EngineChoice instead;
  const std::string notes =
      notes_of([&] { instead = cache().choose(convolution, false, without_it).configuration.choice; });
  EXPECT_NE(instead, broken);
  EXPECT_NE(notes.find("the saved plan of backward_filter of 64x16x17x128"), std::string::npos) << notes;
  EXPECT_NE(notes.find(" is replaced: it is broken"), std::string::npos) << notes;
  EXPECT_EQ(std::count(notes.begin(), notes.end(), '\n'), 1) << notes;
  measured_.clear();
  EXPECT_EQ(cache().choose(convolution, false, clock(0)).configuration.choice, instead);
}

TEST_F(PlanCacheTest, SkipsPlansThatDoNotRun) {
  size_t asked = 0;
  const auto every_third_runs = [&](const ExecutionPlan& plan) -> float {
    ++asked;
    if (asked % 3 == 1) throw OutOfMemory("a plan has no memory", 0);
    if (asked % 3 == 2) fail("a plan does not run");
    measured_.push_back(plan.configuration.choice);
    return 1;
  };
  const EngineChoice chosen = cache().choose(convolution, false, every_third_runs).configuration.choice;
  ASSERT_EQ(measured_.size(), 3u);
  EXPECT_EQ(chosen, measured_.front());
}

TEST_F(PlanCacheTest, OutOfMemoryDoesNotChangeTheKeptPlan) {
  const EngineChoice best = cache().choose(convolution, false, clock(3)).configuration.choice;
  const auto without_memory_for_it = [&](const ExecutionPlan& plan) -> float {
    if (plan.configuration.choice == best) throw OutOfMemory("no memory", 0);
    return 1;
  };
  EXPECT_NE(cache().choose(convolution, false, without_memory_for_it).configuration.choice, best);
  EXPECT_EQ(cache().choose(convolution, false, clock(0)).configuration.choice, best);
}

TEST_F(PlanCacheTest, NamesTheReasonIfNoPlanRuns) {
  PlanCache plans = cache();
  expect_error([&] { plans.choose(convolution, false, [](const ExecutionPlan&) -> float { fail("it is broken"); }); },
               "cuDNN cannot run any plan of backward_filter of 64x16x17x128");
  expect_error([&] { plans.choose(convolution, false, [](const ExecutionPlan&) -> float { fail("it is broken"); }); },
               "it is broken");
  EXPECT_THROW(
      plans.choose(convolution, false, [](const ExecutionPlan&) -> float { throw OutOfMemory("no memory", 0); }),
      OutOfMemory);
  EXPECT_EQ(plans.find(convolution, false), nullptr);
}

TEST_F(PlanCacheTest, ADeviceErrorEndsTheChoice) {
  const auto broken = [&](const ExecutionPlan& plan) -> float {
    measured_.push_back(plan.configuration.choice);
    throw DeviceError("the device is broken");
  };
  EXPECT_THROW(cache().choose(convolution, false, broken), DeviceError);
  EXPECT_EQ(measured_.size(), 1u);
  cache().choose(convolution, false, clock(0));
  measured_.clear();
  EXPECT_THROW(cache().choose(convolution, false, broken), DeviceError) << "while it measures the kept plan";
  EXPECT_EQ(measured_.size(), 1u);
}

TEST_F(PlanCacheTest, DeterministicPlansAreNotChosenByTiming) {
  PlanCache plans = cache();
  const ExecutionPlan& chosen = plans.choose(convolution, true, clock(3));
  EXPECT_TRUE(measured_.empty());
  EXPECT_FALSE(chosen.configuration.nondeterministic);
  EXPECT_EQ(plans.find(convolution, true), &chosen);
}

}  // namespace
}  // namespace melgrad::test
