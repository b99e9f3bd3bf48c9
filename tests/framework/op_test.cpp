// The table of all ops, one row each. Every row is tested on every device: values and gradients against PyTorch, or
// against a formula, and gradients against central differences.
#include "framework/ops.h"

#include "docs/examples/add_an_op/silu_op.h"
#include "tests/support/compare.h"
#include "tests/support/devices.h"
#include "tests/support/exact_convolution.h"
#include "tests/support/fixture.h"
#include "tests/support/gradient_check.h"
#include "tests/support/random.h"
#include "tests/support/repeat.h"

namespace melgrad::test {
namespace {

struct Op {
  const char* name;
  // Computes "y", which backward() starts from, and the other results that the fixture holds. The test cases of the
  // fixture (make_ops.py) give the parameters and the inputs.
  Tensors (*run)(const Json& parameters, const Tensors& inputs);
  enum class Kind { multilinear, smooth, kinked, kinked_by_beta, normalized_maxima, not_differentiable } kind;
  // For an elementwise op with one input, "x": y = formula(x) in double precision. Such a row needs no fixture.
  double (*formula)(double x) = nullptr;
  // The results are sums of up to a thousand products. Where these cancel, the rounding errors are those of the terms,
  // so the tolerance is relative to the largest result.
  bool long_sums = false;
};

Tensor optional(const Tensors& inputs, const char* name) { return inputs.contains(name) ? inputs.at(name) : Tensor(); }

Tensors train_batch_norm(const Json& c, const Tensors& in) {
  const Tensor gamma = in.at("gamma");
  BatchNormState state{.running_mean = Tensor::zeros(gamma.shape(), DType::float32, gamma.device()),
                       .running_var = Tensor::full(gamma.shape(), 1, gamma.device()),
                       .num_batches_tracked = Tensor::zeros({}, DType::uint64, gamma.device())};
  const auto forward = [&](const Tensor& x) {
    return batch_norm(x, gamma, in.at("beta"), state, {.momentum = c.at("momentum"), .epsilon = c.at("epsilon")});
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
  return {{"y", batch_norm(in.at("x"), in.at("gamma"), in.at("beta"), state,
                           {.training = false, .epsilon = c.at("epsilon")})}};
}

// The state of a batch norm that trains, or that of the inputs named running_mean and running_var plus `suffix`.
BatchNormState state_of(const Tensors& in, const std::string& suffix = "") {
  const Tensor& gamma = in.at("gamma" + suffix);
  if (in.contains("running_mean" + suffix)) return {in.at("running_mean" + suffix), in.at("running_var" + suffix), {}};
  return {Tensor::zeros(gamma.shape(), DType::float32, gamma.device()), Tensor::full(gamma.shape(), 1, gamma.device()),
          Tensor::zeros({}, DType::uint64, gamma.device())};
}

// batch_norm_relu; batch_norm_add_relu if there is a residual; batch_norm_sum_relu if there is an x_b;
// batch_norm_relu_max_pool2d if there is a kernel size.
Tensors run_fused_batch_norm(const Json& c, const Tensors& in) {
  const Tensor x = in.at("x"), gamma = in.at("gamma"), beta = in.at("beta");
  BatchNormState state = state_of(in);
  const BatchNormOptions options{.training = !in.contains("running_mean"), .epsilon = c.at("epsilon")};
  if (c.contains("kernel")) {
    return {{"y", batch_norm_relu_max_pool2d(x, gamma, beta, state, options,
                                             {c.at("kernel"), c.at("stride"), c.at("padding")})}};
  }
  if (in.contains("x_b")) {
    BatchNormState state_b = state_of(in, "_b");
    return {{"y", batch_norm_sum_relu({x, gamma, beta, state},
                                      {in.at("x_b"), in.at("gamma_b"), in.at("beta_b"), state_b}, options)}};
  }
  const Tensor residual = optional(in, "residual");
  return {{"y", residual.defined() ? batch_norm_add_relu(x, residual, gamma, beta, state, options)
                                   : batch_norm_relu(x, gamma, beta, state, options)}};
}

constexpr Op ops[] = {
    {"conv2d",
     [](const Json& c, const Tensors& in) -> Tensors {
       return {{"y", conv2d(in.at("x"), in.at("w"), optional(in, "b"), c.at("stride"), c.at("padding"))}};
     },
     Op::Kind::multilinear, nullptr, true},
    {"batch_norm_training", train_batch_norm, Op::Kind::smooth},
    {"batch_norm_evaluation", evaluate_batch_norm, Op::Kind::multilinear},
    {"batch_norm_relu_training", run_fused_batch_norm, Op::Kind::kinked_by_beta},
    {"batch_norm_relu_evaluation", run_fused_batch_norm, Op::Kind::kinked_by_beta},
    {"batch_norm_add_relu_training", run_fused_batch_norm, Op::Kind::kinked_by_beta},
    {"batch_norm_add_relu_evaluation", run_fused_batch_norm, Op::Kind::kinked_by_beta},
    {"batch_norm_sum_relu_training", run_fused_batch_norm, Op::Kind::kinked_by_beta},
    {"batch_norm_sum_relu_evaluation", run_fused_batch_norm, Op::Kind::kinked_by_beta},
    {"batch_norm_relu_max_pool2d_training", run_fused_batch_norm, Op::Kind::normalized_maxima},
    {"batch_norm_relu_max_pool2d_evaluation", run_fused_batch_norm, Op::Kind::normalized_maxima},
    {"relu",
     [](const Json&, const Tensors& in) -> Tensors {
       return {{"y", relu(in.at("x"))}};
     },
     Op::Kind::kinked},
    {"silu",
     [](const Json&, const Tensors& in) -> Tensors {
       return {{"y", silu(in.at("x"))}};
     },
     Op::Kind::smooth, [](double x) { return x / (1 + std::exp(-x)); }},
    {"add",
     [](const Json&, const Tensors& in) -> Tensors {
       return {{"y", in.at("a") + in.at("b")}};
     },
     Op::Kind::multilinear},
    {"sub",
     [](const Json&, const Tensors& in) -> Tensors {
       return {{"y", in.at("a") - in.at("b")}};
     },
     Op::Kind::multilinear},
    {"mul",
     [](const Json&, const Tensors& in) -> Tensors {
       return {{"y", in.at("a") * in.at("b")}};
     },
     Op::Kind::multilinear},
    {"sum",
     [](const Json&, const Tensors& in) -> Tensors {
       return {{"y", sum(in.at("x"))}};
     },
     Op::Kind::multilinear},
    {"mean",
     [](const Json&, const Tensors& in) -> Tensors {
       return {{"y", mean(in.at("x"))}};
     },
     Op::Kind::multilinear},
    {"matmul",
     [](const Json&, const Tensors& in) -> Tensors {
       return {{"y", matmul(in.at("a"), in.at("b"))}};
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

const Fixture& ops_fixture() {
  static const Fixture loaded("ops");
  return loaded;
}

std::vector<float> one_hot(const std::vector<int64_t>& labels, int64_t classes) {
  std::vector<float> targets(labels.size() * static_cast<size_t>(classes));
  for (size_t i = 0; i < labels.size(); ++i)
    targets[i * static_cast<size_t>(classes) + static_cast<size_t>(labels[i])] = 1;
  return targets;
}

// One test case of an op on one device.
struct Case {
  std::string name;
  Json parameters;
  Tensors inputs;
  std::map<std::string, std::vector<float>> expected;  // "y", "dx", "running_mean_1", ...
  Tensor dy;

  Case(const Op& op, const Json& c, Device device) : name(c.at("name")), parameters(c) {
    for (const std::string& what : ops_fixture().names_of(name)) expected[what] = ops_fixture()[name + "/" + what];
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

  // n values of the op's formula and of its slope, for inputs that `dtype` can represent: most are in [-4, 4), and two
  // are so large that exp() overflows in float32.
  Case(const Op& op, int64_t n, Device device, DType dtype = DType::float32) : name(fmt::format("{}_{}", op.name, n)) {
    std::vector<float> x = rounded(random_values(n, 1, 4), dtype);
    const std::vector<float> upstream = rounded(random_values(n, 2), dtype);
    if (n > 2) {
      x[0] = 100;
      x[1] = -100;
    }
    constexpr double step = 1e-5;
    for (size_t i = 0; i < x.size(); ++i) {
      const auto at = static_cast<double>(x[i]);
      const double slope = (op.formula(at + step) - op.formula(at - step)) / (2 * step);
      expected["y"].push_back(static_cast<float>(op.formula(at)));
      expected["dx"].push_back(static_cast<float>(slope * static_cast<double>(upstream[i])));
    }
    inputs["x"] = cast(Tensor::from(x, {n}, device), dtype).require_grad();
    dy = cast(Tensor::from(upstream, {n}, device), dtype);
  }
};

constexpr int64_t formula_sizes[] = {1, 31, 33, 2053};  // the last: several blocks of threads and a remainder

std::vector<Case> cases_of(const Op& op, Device device) {
  std::vector<Case> cases;
  for (const Json& c : ops_fixture().cases()) {
    if (c.at("op") == op.name) cases.emplace_back(op, c, device);
  }
  if (op.formula) {
    for (const int64_t n : formula_sizes) cases.emplace_back(op, n, device);
  }
  return cases;
}

TEST(Ops, TheTableHoldsEveryOpOfTheFixture) {
  std::set<std::string> in_table, in_fixture;
  for (const Op& op : ops) {
    in_table.insert(op.name);
    EXPECT_FALSE(cases_of(op, Device::cpu).empty()) << op.name << " has neither a case in the fixture nor a formula";
  }
  for (const Json& c : ops_fixture().cases()) in_fixture.insert(c.at("op"));
  for (const std::string& op : in_fixture) EXPECT_TRUE(in_table.contains(op)) << op;
}

void expect_close_to_results(const Op& op, const std::vector<float>& actual, const std::vector<float>& expected) {
  float scale = 1;
  if (op.long_sums) {
    for (const float value : expected) scale = std::max(scale, std::abs(value));
  }
  expect_close(actual, expected, 1e-4, 1e-6 * static_cast<double>(scale));
}

void expect_agrees_with_the_expected_results(const Op& op, const Case& c) {
  SCOPED_TRACE(c.name);
  const Tensors results = op.run(c.parameters, c.inputs);
  const Tensor y = results.at("y");
  EXPECT_EQ(y.requires_grad(), op.kind != Op::Kind::not_differentiable);
  if (y.requires_grad()) y.backward(c.dy);
  for (const auto& [what, expected] : c.expected) {
    SCOPED_TRACE(what);
    if (results.contains(what)) {
      expect_close_to_results(op, results.at(what).to_vector(), expected);
    } else if (y.requires_grad()) {
      const Tensor& input = c.inputs.at(what.substr(1));
      ASSERT_EQ(input.grad().shape(), input.shape());
      expect_close_to_results(op, input.grad().to_vector(), expected);
    }
  }
}

class OpOnDevice : public testing::TestWithParam<std::tuple<Op, Device>> {};

TEST_P(OpOnDevice, AgreesWithPyTorchOrItsFormula) {
  const auto& [op, device] = GetParam();
  MELGRAD_SKIP_WITHOUT(device);
  const ExactConvolution exact;  // the tolerances are those of direct sums
  for (const Case& c : cases_of(op, device)) expect_agrees_with_the_expected_results(op, c);
}

std::string name_of_test(const testing::TestParamInfo<std::tuple<Op, Device>>& test) {
  return fmt::format("{}_{}", std::get<Op>(test.param).name, name_of(std::get<Device>(test.param)));
}
INSTANTIATE_TEST_SUITE_P(Table, OpOnDevice,
                         testing::Combine(testing::ValuesIn(ops), testing::ValuesIn(devices_of_build)), name_of_test);

class OpGradient : public testing::TestWithParam<Op> {};

// So large that relu passes all values of every second channel and none of the others.
Tensor betas_off_kinks(int64_t channels) {
  std::vector<float> betas(static_cast<size_t>(channels));
  for (size_t c = 0; c < betas.size(); ++c) betas[c] = c % 2 == 0 ? 8.0f : -8.0f;
  return Tensor::from(betas, {channels});
}

// For max_pool2d(relu(batch_norm(x))): values of x 0.2 apart. In training they are normalised and shifted away from 0;
// in evaluation the running mean and beta are 0, and no value of x is near 0.
void keep_off_kinks(Tensors& inputs) {
  std::vector<float> x = values_off_kinks(inputs.at("x").numel());
  for (float& value : x) value *= 0.05f;
  inputs.at("x").assign(Tensor::from(x, inputs.at("x").shape()));
  const Tensor zeros = Tensor::zeros(inputs.at("beta").shape());
  const bool training = !inputs.contains("running_mean");
  inputs.at("beta").assign(training ? betas_off_kinks(zeros.numel()) : zeros);
  if (!training) inputs.at("running_mean").assign(zeros);
}

TEST_P(OpGradient, AgreesWithCentralDifferences) {
  const Op& op = GetParam();
  for (Case& c : cases_of(op, Device::cpu)) {
    SCOPED_TRACE(c.name);
    if (op.kind == Op::Kind::kinked)
      c.inputs.at("x").assign(Tensor::from(values_off_kinks(c.inputs.at("x").numel()), c.inputs.at("x").shape()));
    if (op.kind == Op::Kind::kinked_by_beta) c.inputs.at("beta").assign(betas_off_kinks(c.inputs.at("beta").numel()));
    if (op.kind == Op::Kind::normalized_maxima) keep_off_kinks(c.inputs);
    expect_gradients_are_slopes([&](const Tensors& inputs) { return op.run(c.parameters, inputs).at("y"); }, c.inputs,
                                c.dy,
                                op.kind == Op::Kind::multilinear || op.kind == Op::Kind::kinked ? multilinear : smooth);
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

// A fused op and the ops that it replaces.
struct Fusion {
  const char* name;
  Tensor (*fused)(const Tensors&, BatchNormState&, BatchNormOptions);
  Tensor (*separate)(const Tensors&, BatchNormState&, BatchNormOptions);
  bool float32_only;  // rounding to bfloat16 before the pooling makes other elements the maxima
};

Tensor normalized(const Tensors& in, BatchNormState& state, BatchNormOptions options) {
  return batch_norm(in.at("x"), in.at("gamma"), in.at("beta"), state, options);
}

// A second batch norm, which normalises the residual.
BatchNormState second_state(const BatchNormState& state) {
  return {state.running_mean.clone(), Tensor::full({16}, 3, state.running_mean.device()), state.num_batches_tracked};
}
BatchNormInput second_term(const Tensors& in, BatchNormState& state) {
  return {in.at("residual"), in.at("second_gamma"), in.at("second_beta"), state};
}

constexpr Pool2dOptions pooling{.kernel_size = 3, .stride = 2, .padding = 1};
constexpr Fusion fusions[] = {
    {"batch_norm_relu",
     [](const Tensors& in, BatchNormState& state, BatchNormOptions options) {
       return batch_norm_relu(in.at("x"), in.at("gamma"), in.at("beta"), state, options);
     },
     [](const Tensors& in, BatchNormState& state, BatchNormOptions options) {
       return relu(normalized(in, state, options));
     },
     false},
    {"batch_norm_add_relu",
     [](const Tensors& in, BatchNormState& state, BatchNormOptions options) {
       return batch_norm_add_relu(in.at("x"), in.at("residual"), in.at("gamma"), in.at("beta"), state, options);
     },
     [](const Tensors& in, BatchNormState& state, BatchNormOptions options) {
       return relu(normalized(in, state, options) + in.at("residual"));
     },
     false},
    {"batch_norm_sum_relu",
     [](const Tensors& in, BatchNormState& state, BatchNormOptions options) {
       BatchNormState other = second_state(state);
       return batch_norm_sum_relu({in.at("x"), in.at("gamma"), in.at("beta"), state}, second_term(in, other), options);
     },
     [](const Tensors& in, BatchNormState& state, BatchNormOptions options) {
       BatchNormState other = second_state(state);
       const BatchNormInput b = second_term(in, other);
       return relu(normalized(in, state, options) + batch_norm(b.x, b.gamma, b.beta, other, options));
     },
     false},
    {"batch_norm_relu_max_pool2d",
     [](const Tensors& in, BatchNormState& state, BatchNormOptions options) {
       return batch_norm_relu_max_pool2d(in.at("x"), in.at("gamma"), in.at("beta"), state, options, pooling);
     },
     [](const Tensors& in, BatchNormState& state, BatchNormOptions options) {
       return max_pool2d(relu(normalized(in, state, options)), pooling.kernel_size, pooling.stride, pooling.padding);
     },
     true},
};

// The output, the gradients and the running statistics of an op whose output is used twice, so that the backward pass
// adds two gradients.
Results run_with_two_uses(Tensor (*op)(const Tensors&, BatchNormState&, BatchNormOptions), Device device, DType dtype,
                          bool training) {
  const Shape shape{3, 5, 7, 16};
  const auto activation = [&](const Shape& s, uint64_t seed) {
    return cast(Tensor::from(rounded(random_values(s.numel(), seed), dtype), s, device), dtype);
  };
  const auto vector = [&](uint64_t seed) { return Tensor::from(random_values(16, seed), {16}, device); };
  Tensors in{{"x", activation(shape, 1)}, {"residual", activation(shape, 2)}, {"gamma", vector(3)},
             {"beta", vector(4)},         {"second_gamma", vector(8)},        {"second_beta", vector(9)}};
  in.at("beta").assign(betas_off_kinks(16).to(device));  // rounding moves values across 0
  for (auto& [name, tensor] : in) tensor.require_grad();
  BatchNormState state{vector(5), Tensor::full({16}, 2, device), Tensor::zeros({}, DType::uint64, device)};
  const Tensor y = op(in, state, {.training = training});
  sum(y * activation(y.shape(), 6) + y * activation(y.shape(), 7)).backward();
  Results results{cast(y.detach(), DType::float32).to_vector(), state.running_mean.to_vector(),
                  state.running_var.to_vector()};
  for (const auto& [name, tensor] : in) {
    if (tensor.grad().defined()) results.push_back(cast(tensor.grad(), DType::float32).to_vector());
  }
  return results;
}

TEST(FusedOps, AgreeWithTheSeparateOps) {
  for (const Fusion& fusion : fusions) {
    for (const Device device : available_devices()) {
      for (const DType dtype : activation_dtypes) {
        if (dtype != DType::float32 && (device == Device::cpu || fusion.float32_only)) continue;
        for (const bool training : {true, false}) {
          SCOPED_TRACE(testing::Message() << fusion.name << " " << name_of(device) << " " << name_of(dtype)
                                          << (training ? " training" : " evaluation"));
          expect_close(run_with_two_uses(fusion.fused, device, dtype, training),
                       run_with_two_uses(fusion.separate, device, dtype, training), tolerance(dtype, 1e-5),
                       dtype == DType::float32 ? 1e-5 : 0.05);
        }
      }
    }
  }
}

class OpWithFormula : public testing::TestWithParam<Op> {};

// On CUDA, in both dtypes. The results are bit-identical in every order of the emulated device.
TEST_P(OpWithFormula, AgreesWithItOnCudaInBothDtypes) {
  MELGRAD_SKIP_WITHOUT_CUDA();
  const Op& op = GetParam();
  for (const DType dtype : activation_dtypes) {
    for (const int64_t n : formula_sizes) {
      SCOPED_TRACE(testing::Message() << n << " " << name_of(dtype));
      const Case expected(op, n, Device::cuda, dtype);
      const auto y_and_dx = [&]() -> Results {
        const Case c(op, n, Device::cuda, dtype);
        const Tensor x = c.inputs.at("x"), y = op.run(c.parameters, c.inputs).at("y");
        y.backward(c.dy);
        return {cast(y.detach(), DType::float32).to_vector(), cast(x.grad(), DType::float32).to_vector()};
      };
      expect_close(in_every_order(y_and_dx), Results{expected.expected.at("y"), expected.expected.at("dx")},
                   tolerance(dtype, 1e-4), 1e-6);
    }
  }
}

std::vector<Op> ops_with_formula() {
  std::vector<Op> result;
  for (const Op& op : ops) {
    if (op.formula) result.push_back(op);
  }
  return result;
}
INSTANTIATE_TEST_SUITE_P(Table, OpWithFormula, testing::ValuesIn(ops_with_formula()), name_of_op);

}  // namespace
}  // namespace melgrad::test
