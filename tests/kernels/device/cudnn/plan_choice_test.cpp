// Plans of cuDNN for the convolutions of the models.
#include <algorithm>
#include <map>

#include "kernels/device/cudnn/plan_choice.cuh"
#include "kernels/fold_stride.h"
#include "tests/kernels/device/cudnn/chip.h"
#include "tests/kernels/device/cudnn/model_convolutions.h"
#include "tests/support/conv2d_shapes.h"
#include "tests/support/errors.h"

namespace melgrad::test {
namespace {

using kernel::Conv2d;
using kernel::Convolution;
using kernel::ConvolutionPass;
using kernel::FoldedStride;
using kernel::cudnn::candidate_plans;
using kernel::cudnn::Configuration;
using kernel::cudnn::ExecutionPlan;
using kernel::cudnn::Graph;
using kernel::cudnn::plan_of_choice;
using kernel::cudnn::Target;

constexpr ConvolutionPass passes[] = {ConvolutionPass::forward, ConvolutionPass::backward_data,
                                      ConvolutionPass::backward_filter};
// The convolutions of the kernel tests, and those of the models with small and large batches.
std::vector<Convolution> all_convolutions(DType dtype) {
  auto shapes = model_convolutions(128, 256);
  shapes.merge(model_convolutions(128, 130));
  std::vector<Convolution> convolutions;
  for (const Conv2d& conv : unusual_convolutions) {
    for (const ConvolutionPass pass : passes) convolutions.push_back({pass, dtype, conv});
  }
  for (Conv2d conv : shapes) {
    for (const int64_t batch : {1, 31, 64, 256}) {
      conv.batch = batch;
      for (const ConvolutionPass pass : passes) {
        convolutions.push_back({pass, dtype, conv});
        if (FoldedStride::pays(convolutions.back())) convolutions.push_back({pass, dtype, FoldedStride(conv).folded});
      }
    }
  }
  return convolutions;
}

class ModelPlans : public ChipTest, public testing::WithParamInterface<std::tuple<const char*, DType>> {};

TEST_P(ModelPlans, EveryConvolutionOfEveryModelHasAPlan) {
  const auto& [name, dtype] = GetParam();
  const Target target = chip(name);
  const auto convolutions = all_convolutions(dtype);
  ASSERT_GT(convolutions.size(), 400u);
  std::map<int64_t, size_t> largest;  // workspace in bytes, by batch
  for (const Convolution& convolution : convolutions) {
    const ExecutionPlan plan = std::move(candidate_plans(convolution, target, true, 1).front());
    const Configuration& configuration = plan.configuration;
    EXPECT_EQ(configuration.tensor_cores, dtype != DType::float32) << describe(convolution);
    EXPECT_FALSE(configuration.nondeterministic) << describe(convolution);
    size_t& bytes = largest[convolution.conv.batch];
    bytes = std::max(bytes, plan.workspace_bytes);
  }
  for (const auto& [batch, bytes] : largest) {
    fmt::print("{} {}, batch {:>3}: at most {:>6.1f} MiB of workspace\n", name, name_of(dtype), batch,
               static_cast<double>(bytes) / (1 << 20));
  }
}

INSTANTIATE_TEST_SUITE_P(Float32, ModelPlans,
                         testing::Combine(testing::Values("t4", "a100", "a10", "l40", "h200", "b200"),
                                          testing::Values(DType::float32)));
INSTANTIATE_TEST_SUITE_P(Bfloat16, ModelPlans,
                         testing::Combine(testing::Values("a100", "a10", "l40", "h200", "b200"),
                                          testing::Values(DType::bfloat16)));

INSTANTIATE_TEST_SUITE_P(Float16, ModelPlans,
                         testing::Combine(testing::Values("t4", "h200"), testing::Values(DType::float16)));

class PlanChoice : public ChipTest {};

TEST_F(PlanChoice, IsRestoredFromItsEngineAndKnobs) {
  const Target target = chip("h200");
  for (const ConvolutionPass pass : passes) {
    const Convolution convolution{pass, DType::bfloat16, typical_convolution};
    for (const ExecutionPlan& plan : candidate_plans(convolution, target, false, 10)) {
      const ExecutionPlan again = plan_of_choice(plan.configuration.choice, convolution, target);
      EXPECT_EQ(again.configuration.choice, plan.configuration.choice);
      EXPECT_EQ(again.configuration.tensor_cores, plan.configuration.tensor_cores);
      EXPECT_EQ(again.workspace_bytes, plan.workspace_bytes);
    }
  }
}

TEST_F(PlanChoice, ReturnsSeveralPlansToMeasure) {
  for (const ConvolutionPass pass : passes) {
    const auto plans = candidate_plans({pass, DType::bfloat16, typical_convolution}, chip("h200"), false, 10);
    EXPECT_EQ(plans.size(), 10u);
    for (size_t i = 1; i < plans.size(); ++i) {
      EXPECT_NE(plans[i].configuration.choice, plans[0].configuration.choice);
    }
  }
}

TEST_F(PlanChoice, RefusesTensorFloat32) {
  const Target target = chip("a100");
  const Convolution convolution{ConvolutionPass::forward, DType::float32, typical_convolution};
  const std::vector<Configuration> all = Graph(convolution, target).configurations(CUDNN_HEUR_MODE_A);
  const auto tf32 = std::find_if(all.begin(), all.end(), [](const Configuration& c) { return c.tensor_cores; });
  ASSERT_NE(tf32, all.end()) << "cuDNN offers no such plan, so this test checks nothing";
  expect_error([&] { plan_of_choice(tf32->choice, convolution, target); }, "does not compute in float32");
  for (const ExecutionPlan& plan : candidate_plans(convolution, target, false, 100)) {
    EXPECT_FALSE(plan.configuration.tensor_cores || plan.configuration.loses_precision);
  }
}

TEST_F(PlanChoice, PrefersTensorFloat32WhereTheConvolutionAllowsIt) {
  for (const ConvolutionPass pass : passes) {
    const Convolution convolution{pass, DType::float32, typical_convolution, true};
    const auto plans = candidate_plans(convolution, chip("a100"), true, 1);
    EXPECT_TRUE(plans.at(0).configuration.tensor_cores) << describe(convolution);
    EXPECT_FALSE(plans.at(0).configuration.loses_precision) << describe(convolution);
  }
}

TEST_F(PlanChoice, RefusesNondeterministicEnginesOnDemand) {
  const Target target = chip("t4");
  const Convolution convolution{ConvolutionPass::backward_filter, DType::float32, typical_convolution};
  const auto count_nondeterministic = [&](bool deterministic) {
    const auto plans = candidate_plans(convolution, target, deterministic, 100);
    return std::count_if(plans.begin(), plans.end(),
                         [](const ExecutionPlan& plan) { return plan.configuration.nondeterministic; });
  };
  EXPECT_GT(count_nondeterministic(false), 0);
  EXPECT_EQ(count_nondeterministic(true), 0);
}

TEST_F(PlanChoice, NamesTheReasonIfThereIsNoEngine) {
  const Convolution convolution{ConvolutionPass::forward, DType::bfloat16, typical_convolution};
  try {
    candidate_plans(convolution, chip("t4"), false, 10);
    ADD_FAILURE() << "there is an engine";
  } catch (const Error& error) {
    const std::string message = error.what();
    EXPECT_TRUE(message.starts_with("cuDNN has no convolution forward of 64x16x17x128 bfloat16")) << message;
    EXPECT_NE(message.find("hardware_bfloat16_supported"), std::string::npos) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  }
}

TEST_F(PlanChoice, RefusesAnEngineThatDoesNotExist) {
  const Convolution convolution{ConvolutionPass::forward, DType::bfloat16, typical_convolution};
  EXPECT_THROW(plan_of_choice({.engine = 123456, .knobs = {}}, convolution, chip("h200")), Error);
}

TEST_F(PlanChoice, RefusesAnInvalidChipDescription) { EXPECT_THROW(Target::described_by("{}"), Error); }

}  // namespace
}  // namespace melgrad::test
