// Every op, one row each: values and gradients compared with PyTorch on every device, gradients with central
// differences.
#include "framework/ops.h"

#include "tests/support/compare.h"
#include "tests/support/devices.h"
#include "tests/support/fixture.h"
#include "tests/support/gradient_check.h"
#include "tests/support/random.h"

namespace melgrad::test {
namespace {

struct Op {
  const char* name;
  // Computes the results of a case: "y", whose gradients are taken, and the other results in the fixture.
  Tensors (*run)(const Json& parameters, const Tensors& inputs);
  enum class Kind { multilinear, smooth, kinked, not_differentiable } kind;
};

Tensor optional(const Tensors& inputs, const char* name) { return inputs.contains(name) ? inputs.at(name) : Tensor(); }

Tensors train_batch_norm(const Json& c, const Tensors& in) {
  const Tensor gamma = in.at("gamma");
  BatchNormState state{.running_mean = Tensor::zeros(gamma.shape(), DType::float32, gamma.device()),
                       .running_var = Tensor::full(gamma.shape(), 1, gamma.device()),
                       .num_batches_tracked = Tensor::zeros({}, DType::uint64, gamma.device())};
  const auto forward = [&](const Tensor& x) {
    return batch_norm(x, gamma, in.at("beta"), state, true, c.at("momentum"), c.at("epsilon"));
  };
  Tensors results{{"y", forward(in.at("x"))}};
  results["running_mean_1"] = state.running_mean.clone();
  results["running_var_1"] = state.running_var.clone();
  forward(in.at("x_second"));
  results["running_mean_2"] = state.running_mean;
  results["running_var_2"] = state.running_var;
  const Tensor batches = state.num_batches_tracked.to(Device::cpu);
  EXPECT_EQ(*batches.as<uint64_t>(), 2u);
  return results;
}

Tensors evaluate_batch_norm(const Json& c, const Tensors& in) {
  BatchNormState state{in.at("running_mean"), in.at("running_var"), {}};
  return {{"y", batch_norm(in.at("x"), in.at("gamma"), in.at("beta"), state, false, 0, c.at("epsilon"))}};
}

constexpr Op ops[] = {
    {"conv2d",
     [](const Json& c, const Tensors& in) -> Tensors {
       return {{"y", conv2d(in.at("x"), in.at("w"), optional(in, "b"), c.at("stride"), c.at("padding"))}};
     },
     Op::Kind::multilinear},
    {"batch_norm_training", train_batch_norm, Op::Kind::smooth},
    {"batch_norm_evaluation", evaluate_batch_norm, Op::Kind::multilinear},
    {"relu",
     [](const Json&, const Tensors& in) -> Tensors {
       return {{"y", relu(in.at("x"))}};
     },
     Op::Kind::kinked},
    {"add",
     [](const Json&, const Tensors& in) -> Tensors {
       return {{"y", add(in.at("a"), in.at("b"))}};
     },
     Op::Kind::multilinear},
    {"max_pool2d",
     [](const Json& c, const Tensors& in) -> Tensors {
       return {{"y", max_pool2d(in.at("x"), c.at("kernel"), c.at("stride"), c.at("padding"))}};
     },
     Op::Kind::kinked},
    {"adaptive_avg_pool2d",
     [](const Json& c, const Tensors& in) -> Tensors {
       return {{"y", adaptive_avg_pool2d(in.at("x"), c.at("out_height"), c.at("out_width"))}};
     },
     Op::Kind::multilinear},
    {"flatten",
     [](const Json&, const Tensors& in) -> Tensors {
       return {{"y", flatten(in.at("x"))}};
     },
     Op::Kind::multilinear},
    {"linear",
     [](const Json&, const Tensors& in) -> Tensors {
       return {{"y", linear(in.at("x"), in.at("w"), optional(in, "b"))}};
     },
     Op::Kind::multilinear},
    {"cross_entropy",
     [](const Json& c, const Tensors& in) -> Tensors {
       return {{"y", cross_entropy(in.at("x"), in.at("targets"), c.at("label_smoothing"))}};
     },
     Op::Kind::smooth},
    {"softmax",
     [](const Json&, const Tensors& in) -> Tensors {
       return {{"y", softmax(in.at("x"))}};
     },
     Op::Kind::not_differentiable},
};

const Fixture& fixture() {
  static const Fixture loaded("ops");
  return loaded;
}

std::vector<float> one_hot(const std::vector<int64_t>& labels, int64_t classes) {
  std::vector<float> targets(labels.size() * static_cast<size_t>(classes));
  for (size_t i = 0; i < labels.size(); ++i)
    targets[i * static_cast<size_t>(classes) + static_cast<size_t>(labels[i])] = 1;
  return targets;
}

// One case of the fixture on one device.
struct Case {
  std::string name;
  Json parameters;
  Tensors inputs;
  std::map<std::string, std::vector<float>> expected;  // "y", "dx", "running_mean_1", ...
  Tensor dy;

  Case(const Op& op, const Json& c, Device device) : name(c.at("name")), parameters(c) {
    for (const std::string& what : fixture().names_of(name)) expected[what] = fixture()[name + "/" + what];
    if (expected.contains("loss")) expected.insert(std::pair("y", expected.extract("loss").mapped()));
    for (const auto& [input, how] : c.at("inputs").items()) {
      const Shape shape(how.at("shape").get<std::vector<int64_t>>());
      const auto values = random_values(shape.numel(), how.at("seed"), how.at("scale"), how.at("shift"));
      inputs[input] = Tensor::from(values, shape, device);
      inputs[input].require_grad(op.kind != Op::Kind::not_differentiable && expected.contains("d" + input));
    }
    if (c.contains("labels")) {
      const Shape shape = inputs.at("x").shape();
      const bool hard = c.at("targets") == "hard";
      inputs["targets"] =
          Tensor::from(hard ? one_hot(c.at("labels"), shape[1]) : expected.extract("targets").mapped(), shape, device);
    }
    dy = inputs.contains("dy") ? inputs.extract("dy").mapped() : Tensor::full({}, 1, device);
  }
};

std::vector<Case> cases_of(const Op& op, Device device) {
  std::vector<Case> cases;
  for (const Json& c : fixture().cases()) {
    if (c.at("op") == op.name) cases.emplace_back(op, c, device);
  }
  return cases;
}

TEST(Ops, TheTableHoldsEveryOpOfTheFixture) {
  size_t cases = 0;
  for (const Op& op : ops) cases += cases_of(op, Device::cpu).size();
  EXPECT_EQ(cases, fixture().cases().size());
}

void expect_agrees_with_pytorch(const Op& op, const Case& c) {
  SCOPED_TRACE(c.name);
  const Tensors results = op.run(c.parameters, c.inputs);
  const Tensor y = results.at("y");
  EXPECT_EQ(y.requires_grad(), op.kind != Op::Kind::not_differentiable);
  if (y.requires_grad()) y.backward(c.dy);
  for (const auto& [what, expected] : c.expected) {
    SCOPED_TRACE(what);
    if (results.contains(what)) {
      expect_close(results.at(what).to_vector(), expected, 1e-4, 1e-6);
    } else if (y.requires_grad()) {
      const Tensor& input = c.inputs.at(what.substr(1));
      ASSERT_EQ(input.grad().shape(), input.shape());
      expect_close(input.grad().to_vector(), expected, 1e-4, 1e-6);
    }
  }
}

class OpOnDevice : public testing::TestWithParam<std::tuple<Op, Device>> {};

TEST_P(OpOnDevice, AgreesWithPyTorch) {
  const auto& [op, device] = GetParam();
  MELGRAD_SKIP_WITHOUT(device);
  for (const Case& c : cases_of(op, device)) expect_agrees_with_pytorch(op, c);
}

std::string name_of_test(const testing::TestParamInfo<std::tuple<Op, Device>>& test) {
  return fmt::format("{}_{}", std::get<Op>(test.param).name, name_of(std::get<Device>(test.param)));
}
INSTANTIATE_TEST_SUITE_P(Table, OpOnDevice,
                         testing::Combine(testing::ValuesIn(ops), testing::ValuesIn(devices_of_build)), name_of_test);

class OpGradient : public testing::TestWithParam<Op> {};

TEST_P(OpGradient, IsTheSlope) {
  const Op& op = GetParam();
  for (Case& c : cases_of(op, Device::cpu)) {
    SCOPED_TRACE(c.name);
    if (op.kind == Op::Kind::kinked)
      c.inputs.at("x").assign(Tensor::from(values_off_kinks(c.inputs.at("x").numel()), c.inputs.at("x").shape()));
    expect_gradients_are_slopes([&](const Tensors& inputs) { return op.run(c.parameters, inputs).at("y"); }, c.inputs,
                                c.dy, op.kind == Op::Kind::smooth ? smooth : multilinear);
  }
}

std::vector<Op> differentiable_ops() {
  std::vector<Op> result;
  for (const Op& op : ops) {
    if (op.kind != Op::Kind::not_differentiable) result.push_back(op);
  }
  return result;
}

std::string name_of_op(const testing::TestParamInfo<Op>& test) { return test.param.name; }
INSTANTIATE_TEST_SUITE_P(Table, OpGradient, testing::ValuesIn(differentiable_ops()), name_of_op);

}  // namespace
}  // namespace melgrad::test
