// Optimizers and schedules compared with 20 steps of PyTorch (tests/fixtures/make_optimizers.py).
#include "framework/optimizer.h"

#include "framework/mixed_precision.h"
#include "framework/ops.h"
#include "framework/schedule.h"
#include "tests/support/fixture.h"
#include "tests/support/kernel_test.h"

namespace melgrad::test {
namespace {

constexpr int64_t steps = 20;
constexpr float base_rate = 0.01f;

const Fixture& optimizers_fixture() {
  static const Fixture loaded("optimizers");
  return loaded;
}

Schedule schedule_named(const std::string& name) {
  if (name == "constant") return constant_schedule(base_rate);
  if (name == "warmup_cosine") return warmup_cosine_schedule(base_rate, 5, steps);
  if (name == "step") return step_schedule(base_rate, 7, 0.5f);
  fail("no schedule {}", name);
}

// The four parameters of the fixture.
std::vector<Named> initial_parameters(Device device = Device::cpu) {
  std::vector<Named> parameters;
  for (const Shape& shape : {Shape{7, 3}, Shape{7}, Shape{31}, Shape{1}}) {
    const uint64_t p = parameters.size();
    parameters.push_back(
        {std::to_string(p), Tensor::from(random_values(shape.numel(), 4000 + p), shape, device).require_grad()});
  }
  return parameters;
}

// Calling backward(gradient) on a leaf sets its gradient.
void set_gradients(const std::vector<Named>& parameters, int64_t step, float factor = 1) {
  for (size_t p = 0; p < parameters.size(); ++p) {
    const Shape& shape = parameters[p].tensor.shape();
    const uint64_t seed = 5000 + 100 * static_cast<uint64_t>(step) + p;
    const Device device = parameters[p].tensor.device();
    std::vector<float> gradient = random_values(shape.numel(), seed);
    for (float& value : gradient) value *= factor;
    parameters[p].tensor.backward(Tensor::from(gradient, shape, device));
  }
}

std::vector<ParameterGroup> groups_of(const std::vector<Named>& p, const std::string& optimizer) {
  if (optimizer == "adam") return {{.parameters = p}};
  return {{.parameters = {p[0], p[2]}, .weight_decay = 0.1f}, {.parameters = {p[1], p[3]}}};
}

TEST(Schedules, AgreeWithPyTorch) {
  for (const auto& [name, rates] : optimizers_fixture().cases().at("schedules").items()) {
    SCOPED_TRACE(name);
    const Schedule schedule = schedule_named(name);
    for (int64_t step = 0; step < steps; ++step) {
      EXPECT_NEAR(schedule(step), rates[static_cast<size_t>(step)].get<double>(), 1e-9) << "step " << step;
    }
  }
}

TEST(Schedules, StayAtTheirEnd) {
  EXPECT_NEAR(warmup_cosine_schedule(1, 2, 10)(10), 0, 1e-9);
  EXPECT_NEAR(warmup_cosine_schedule(1, 2, 10)(1000), 0, 1e-9);
  EXPECT_EQ(warmup_cosine_schedule(1, 0, 10)(0), 1);
}

template <class AnyOptimizer>
void expect_pytorchs_twenty_steps(const Json& c, const std::vector<Named>& parameters, AnyOptimizer optimizer) {
  const std::string name = c.at("name");
  const Schedule schedule = schedule_named(c.at("schedule"));
  const double tolerance = 4 * c.at("float32_error").get<double>();  // the float32 error is PyTorch's
  for (int64_t step = 0; step < steps; ++step) {
    SCOPED_TRACE(step);
    optimizer.zero_grad();
    set_gradients(parameters, step);
    optimizer.step(schedule(step));
    if constexpr (std::is_same_v<AnyOptimizer, Adam>) {
      EXPECT_NEAR(optimizer.gradient_norm().item(),
                  optimizers_fixture()[name + "/gradient_norm"][static_cast<size_t>(step)], tolerance);
    }
    for (const Named& parameter : parameters) {
      const auto n = static_cast<size_t>(parameter.tensor.numel());
      const auto row =
          std::span(optimizers_fixture()[name + "/" + parameter.name]).subspan(static_cast<size_t>(step) * n, n);
      expect_close(parameter.tensor.to_vector(), std::vector(row.begin(), row.end()), 0, tolerance);
    }
  }
}

TEST(Optimizers, AgreeWithPyTorchOverTwentySteps) {
  for (const Json& c : optimizers_fixture().cases().at("cases")) {
    for (const Device device : available_devices()) {
      SCOPED_TRACE(c.at("name").get<std::string>() + " on " + name_of(device));
      const std::vector<Named> parameters = initial_parameters(device);
      const std::string name = c.at("optimizer");
      const auto groups = groups_of(parameters, name);
      if (name == "sgd") {
        expect_pytorchs_twenty_steps(c, parameters, Sgd(groups, {.momentum = c.at("momentum")}));
      } else {
        const auto decay = name == "adamw" ? Adam::WeightDecay::decoupled : Adam::WeightDecay::l2;
        expect_pytorchs_twenty_steps(c, parameters,
                                     Adam(groups, {.weight_decay = decay, .max_gradient_norm = c.at("max_norm")}));
      }
    }
  }
}

// A power of two as the scale changes no bits, and skipped steps leave no trace but in the count of steps.
TEST(Optimizers, AgreeWithPyTorchUnderLossScalingWithSkippedSteps) {
  for (const Device device : available_devices()) {
    const std::vector<Named> parameters = initial_parameters(device);
    Adam optimizer(groups_of(parameters, "adamw"), {.max_gradient_norm = 4.5f, .loss_scaling = true});
    const std::vector<Named> plain_parameters = initial_parameters(device);
    Adam plain(groups_of(plain_parameters, "adamw"), {.max_gradient_norm = 4.5f});
    const auto step = [](Adam& adam, const std::vector<Named>& all, int64_t number, float factor) {
      adam.zero_grad();
      set_gradients(all, number, factor);
      adam.step(base_rate);
    };
    for (int64_t number = 0; number < steps; ++number) {
      const float scale = optimizer.loss_scale().item();
      if (number == 0 || number == 7) {
        step(optimizer, parameters, number, std::numeric_limits<float>::infinity());
        EXPECT_EQ(optimizer.loss_scale().item(), scale / 2);
        EXPECT_FALSE(std::isfinite(optimizer.gradient_norm().item()));
      }
      step(optimizer, parameters, number, optimizer.loss_scale().item());
      step(plain, plain_parameters, number, 1);
      EXPECT_NEAR(optimizer.gradient_norm().item(), plain.gradient_norm().item(), 1e-6);
    }
    EXPECT_EQ(optimizer.steps(), plain.steps() + 2);
    for (size_t p = 0; p < parameters.size(); ++p) {
      expect_close(parameters[p].tensor.to_vector(), plain_parameters[p].tensor.to_vector(), 1e-6, 1e-6);
    }
    EXPECT_EQ(optimizer.state().at(8).name, "loss_scale");
    EXPECT_EQ(optimizer.state().at(9).name, "loss_scale_steps");
  }
}

// Restores an optimizer as from a checkpoint: the moments and the number of steps are its whole state.
TEST(Optimizers, ContinueFromTheirStateBitForBit) {
  const std::vector<Named> parameters = initial_parameters(), copies = initial_parameters();
  Adam optimizer(groups_of(parameters, "adamw"), {}), restored(groups_of(copies, "adamw"), {});
  const auto step = [](Adam& adam, const std::vector<Named>& all, int64_t number) {
    adam.zero_grad();
    set_gradients(all, number);
    adam.step(base_rate);
  };
  for (int64_t number = 0; number < 5; ++number) step(optimizer, parameters, number);

  const std::vector<Named> from = optimizer.state();
  std::vector<Named> to = restored.state();
  ASSERT_EQ(from.size(), 2 * parameters.size());
  for (size_t i = 0; i < from.size(); ++i) {
    EXPECT_EQ(from[i].name, to[i].name);
    to[i].tensor.assign(from[i].tensor);
  }
  EXPECT_EQ(from[0].name, "exp_avg.0");
  EXPECT_EQ(from[4].name, "exp_avg_sq.0");
  restored.set_steps(optimizer.steps());
  for (size_t p = 0; p < parameters.size(); ++p) Tensor(copies[p].tensor).assign(parameters[p].tensor);

  for (int64_t number = 5; number < 10; ++number) {
    step(optimizer, parameters, number);
    step(restored, copies, number);
  }
  for (size_t p = 0; p < parameters.size(); ++p) {
    EXPECT_EQ(copies[p].tensor.to_vector(), parameters[p].tensor.to_vector());
  }
}

TEST(Optimizers, WeightsOfLayersDecayNormsAndBiasesDoNot) {
  const std::vector<Named> parameters{{"conv.weight", Tensor::zeros({2, 3, 3, 1})},
                                      {"bn.weight", Tensor::zeros({2})},
                                      {"fc.weight", Tensor::zeros({2, 2})},
                                      {"fc.bias", Tensor::zeros({2})}};
  const auto groups = decay_groups(parameters, 0.05f);
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_EQ(groups[0].weight_decay, 0.05f);
  EXPECT_EQ(groups[1].weight_decay, 0);
  ASSERT_EQ(groups[0].parameters.size(), 2u);
  ASSERT_EQ(groups[1].parameters.size(), 2u);
  EXPECT_EQ(groups[0].parameters[1].name, "fc.weight");
  EXPECT_EQ(groups[1].parameters[1].name, "fc.bias");
}

// A group with a factor steps as a whole optimizer with that learning rate does.
TEST(Optimizers, FactorsScaleTheLearningRateOfTheirParameters) {
  const float factor = 0.25f;
  const std::vector<Named> together = initial_parameters(), first = initial_parameters(), rest = initial_parameters();
  const auto groups = decay_groups(together, 0.05f, {{together[0].name, factor}});
  Adam optimizer(groups, {}), slow(decay_groups({first[0]}, 0.05f), {});
  Adam fast(decay_groups({rest.begin() + 1, rest.end()}, 0.05f), {});
  for (int64_t number = 0; number < 5; ++number) {
    for (const auto& parameters : {together, first, rest}) set_gradients(parameters, number);
    optimizer.step(base_rate);
    slow.step(base_rate * factor);
    fast.step(base_rate);
  }
  EXPECT_EQ(together[0].tensor.to_vector(), first[0].tensor.to_vector());
  for (size_t p = 1; p < together.size(); ++p) {
    EXPECT_EQ(together[p].tensor.to_vector(), rest[p].tensor.to_vector());
  }
}

TEST(Optimizers, NameTheParameterThatHasNoGradientAndDoNotStep) {
  const std::vector<Named> parameters = initial_parameters();
  Adam adam(groups_of(parameters, "adam"), {});
  Sgd sgd(groups_of(parameters, "adam"), {});
  set_gradients({parameters[0], parameters[1]}, 0);
  const auto before = parameters[0].tensor.to_vector();
  expect_error([&] { adam.step(base_rate); }, "parameter 2 has no gradient");
  expect_error([&] { sgd.step(base_rate); }, "parameter 2 has no gradient");
  EXPECT_EQ(parameters[0].tensor.to_vector(), before);
  EXPECT_EQ(adam.steps(), 0);
  expect_error([] { Adam({}, {}); }, "an optimizer needs parameters");
  expect_error([] { Sgd({}, {}); }, "an optimizer needs parameters");
}

TEST(Optimizers, SgdKeepsItsVelocityUnderPyTorchsName) {
  const std::vector<Named> parameters = initial_parameters();
  Sgd optimizer({{.parameters = parameters}}, {.momentum = 0.9f});
  set_gradients(parameters, 0);
  optimizer.step(base_rate);
  const std::vector<Named> state = optimizer.state();
  ASSERT_EQ(state.size(), parameters.size());
  EXPECT_EQ(state[2].name, "momentum_buffer.2");
  EXPECT_EQ(state[2].tensor.to_vector(), parameters[2].tensor.grad().to_vector());
}

// A weight whose layers compute in bfloat16 has a copy, and its gradient is bfloat16.
TEST(Optimizers, SgdRenewsTheBfloat16CopyOfAWeight) {
  const Tensor w = Tensor::full({2, 2}, 1).require_grad();
  keep_compute_copy(w, DType::bfloat16);
  Sgd optimizer({{.parameters = {{"w", w}}}}, {});
  cast(w, DType::bfloat16).backward(cast(Tensor::full({2, 2}, 3), DType::bfloat16));
  optimizer.step(0.5f);
  EXPECT_EQ(w.to_vector(), std::vector<float>(4, -0.5f));
  EXPECT_EQ(cast(compute_copy(w), DType::float32).to_vector(), std::vector<float>(4, -0.5f));
}

}  // namespace
}  // namespace melgrad::test
