#include "models/stages.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "framework/ops.h"
#include "models/models.h"
#include "tests/support/errors.h"

namespace melgrad::test {
namespace {

std::vector<std::string> names_of(const std::vector<Stage>& stages) {
  std::vector<std::string> names;
  for (const Stage& stage : stages) names.push_back(stage.name);
  return names;
}

class StagesOfModels : public testing::TestWithParam<std::string> {};

TEST_P(StagesOfModels, HoldEveryParameterOnce) {
  const auto model = make_model(GetParam(), 3);
  const bool is_resnet = GetParam().starts_with("resnet");
  EXPECT_EQ(names_of(stages_of(*model)),
            is_resnet ? (std::vector<std::string>{"stem", "layer1", "layer2", "layer3", "layer4", "head"})
                      : (std::vector<std::string>{"block1", "block2", "block3", "block4", "head"}));
  EXPECT_EQ(layer_decay_factors(*model, 0.5f).size(), model->parameters().size());
}

INSTANTIATE_TEST_SUITE_P(Models, StagesOfModels, testing::ValuesIn(model_names()),
                         [](const auto& instance) { return instance.param; });

TEST(Stages, LearningRatesDecayFromTheHeadToTheInput) {
  const auto factors = layer_decay_factors(*make_model("resnet_small", 3), 0.5f);
  EXPECT_EQ(factors.at("fc.bias"), 1.0f);
  EXPECT_EQ(factors.at("layer4.1.bn2.weight"), 0.5f);
  EXPECT_EQ(factors.at("layer4.0.downsample.0.weight"), 0.5f);
  EXPECT_EQ(factors.at("layer1.0.conv1.weight"), 0.0625f);
  EXPECT_EQ(factors.at("bn1.bias"), 0.03125f);
  EXPECT_EQ(layer_decay_factors(*make_model("cnn", 3), 0.5f).at("features.0.weight"), 0.0625f);
}

// After a forward and a backward pass in training mode, frozen stages have neither gradients nor new statistics.
TEST(Stages, FrozenOnesGetNoGradientsAndKeepTheirStatistics) {
  for (const std::string name : {"resnet_small", "cnn_bn"}) {
    const bool is_resnet = name == "resnet_small";
    const auto model = make_model(name, 3);
    freeze_up_to(*model, is_resnet ? "layer2" : "block2");
    model->train();
    sum((*model)(Tensor::full({2, 32, 32, 1}, 0.5f))).backward();
    const auto is_frozen = [&](const std::string& tensor) {
      return is_resnet ? tensor.starts_with("conv1") || tensor.starts_with("bn1") || tensor.starts_with("layer1.") ||
                             tensor.starts_with("layer2.")
                       : tensor.starts_with("features.") && std::stoi(tensor.substr(9)) < 8;
    };
    for (Named& named : model->parameters()) {
      EXPECT_EQ(named.tensor.grad().defined(), !is_frozen(named.name)) << named.name;
    }
    for (const Named& named : model->buffers()) {
      if (!named.name.ends_with("running_var")) continue;
      const auto values = named.tensor.to_vector();
      const bool initial = std::ranges::all_of(values, [](float value) { return value == 1; });
      EXPECT_EQ(initial, is_frozen(named.name)) << named.name;
    }
  }
}

TEST(Stages, RefuseToFreezeTheHeadAndUnknownStages) {
  const auto model = make_model("resnet_small", 3);
  expect_error([&] { freeze_up_to(*model, "head"); }, "its stages are stem, layer1, layer2, layer3, layer4");
  expect_error([&] { freeze_up_to(*model, "block1"); }, "no stage 'block1'");
}

}  // namespace
}  // namespace melgrad::test
