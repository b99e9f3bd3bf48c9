// Whole models compared with PyTorch from the same weights (tests/fixtures/make_models.py). The expected values were
// computed in double precision. The tolerance is the error that PyTorch makes in float32, times a factor, because sums
// are computed in another order. That error is pooled over a class of tensors and over runs of PyTorch with several
// instruction sets: the error of one number in one run may be small by luck.
#include "models/models.h"

#include "framework/ops.h"
#include "framework/optimizer.h"
#include "tests/support/devices.h"
#include "tests/support/errors.h"
#include "tests/support/exact_convolution.h"
#include "tests/support/fixture.h"
#include "tests/support/initial_values.h"
#include "tests/support/random.h"

namespace melgrad::test {
namespace {

// Measured with convolutions and oneDNN limited to SSE and AVX2 and at AVX-512, with 1, 2 and 3 threads: at most 4.0.
constexpr double factor = 10;

const Fixture& models_fixture() {
  static const Fixture loaded("models");
  return loaded;
}

std::vector<float> in_pytorch_order(const Tensor& tensor) {
  const std::vector<float> values = tensor.to_vector();
  std::vector<float> result(values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    result[static_cast<size_t>(pytorch_index(tensor.shape(), static_cast<int64_t>(i)))] = values[i];
  }
  return result;
}

class ModelParity : public testing::TestWithParam<std::tuple<std::string, Device>> {
 protected:
  static constexpr int64_t batch = 4, n_mels = 32, frames = 40, classes = 10;

  ModelParity() : name_(std::get<0>(GetParam())), device_(std::get<1>(GetParam())) {
    model_ = make_model(name_, classes);
    for (const Json& c : models_fixture().cases()) {
      if (c.at("name") == name_) case_ = c;
    }
    set_initial_values(*model_);
    std::vector<float> one_hot(batch * classes);
    for (size_t i = 0; i < batch; ++i) one_hot[i * classes + i] = 1;
    targets_ = Tensor::from(one_hot, {batch, classes});
  }

  void move_to_device() {
    model_->move_to(device_);
    x_ = x_.to(device_);
    targets_ = targets_.to(device_);
  }

  const std::vector<float>& expected(const std::string& what) const { return models_fixture()[name_ + "/" + what]; }

  // The relative error of PyTorch's float32 results in this class of tensors, and the rounding of the fixture.
  double error_of_class(const std::string& name) const {
    return case_.at("float32_error").at(name).get<double>() + std::numeric_limits<float>::epsilon() / 2;
  }

  // Expects |actual - figures| <= factor * error * size, where | | is the L2 norm.
  static void expect_close(const std::string& what, std::span<const float> actual, std::span<const float> figures,
                           double error, double size) {
    ASSERT_EQ(actual.size(), figures.size()) << what;
    double squares = 0;
    for (size_t i = 0; i < figures.size(); ++i) {
      const double difference = static_cast<double>(actual[i]) - static_cast<double>(figures[i]);
      squares += difference * difference;
    }
    // EXPECT_LE is not used, because a NaN must fail.
    EXPECT_TRUE(std::sqrt(squares) <= factor * error * size)
        << what << ": the error is " << std::sqrt(squares) / (error * size) << " times that of PyTorch in float32";
  }
  void expect_close(const std::string& what, std::span<const float> actual, const std::string& name_of_class) {
    expect_close(what, actual, expected(what), error_of_class(name_of_class), norm(expected(what)));
  }

  static double norm(std::span<const float> values) {
    double squares = 0;
    for (const float value : values) squares += static_cast<double>(value) * static_cast<double>(value);
    return std::sqrt(squares);
  }

  // The loss is the mean over the batch of a function of each row of logits whose gradient is no longer than sqrt(2).
  void expect_loss(float loss) {
    const double size = norm(expected("logits_train")) * std::sqrt(2.0 / batch);
    expect_close("loss", {&loss, 1}, expected("loss"), error_of_class("logits"), size);
  }

  void expect_gradients() {
    const std::vector<Named> parameters = model_->parameters();
    constexpr size_t samples = 256;
    for (size_t p = 0; p < parameters.size(); ++p) {
      SCOPED_TRACE(parameters[p].name);
      const std::vector<float> gradient = in_pytorch_order(parameters[p].tensor.grad());
      const double error = error_of_class(case_.at("classes").at(p));
      const double size = case_.at("module_norms").at(p);
      const auto own_norm = static_cast<float>(norm(gradient));
      expect_close("gradient norm", {&own_norm, 1}, {&expected("gradient_norms")[p], 1}, error, size);
      std::vector<float> sampled;
      for (size_t k = 0; k < samples; ++k) sampled.push_back(gradient[k * 2654435761 % gradient.size()]);
      const double size_of_samples = size * std::sqrt(samples / static_cast<double>(gradient.size()));
      expect_close("gradient samples", sampled, std::span(expected("gradient_samples")).subspan(p * samples, samples),
                   error, size_of_samples);
    }
  }

  void expect_statistics() {
    std::vector<Tensor> means, variances;
    for (const Named& buffer : model_->buffers()) {
      if (buffer.name.ends_with("running_mean")) means.push_back(buffer.tensor);
      if (buffer.name.ends_with("running_var")) variances.push_back(buffer.tensor);
      if (buffer.name.ends_with("num_batches_tracked")) {
        EXPECT_EQ(*buffer.tensor.to(Device::cpu).as<uint64_t>(), 1u);
      }
    }
    EXPECT_EQ(means.empty(), name_ == "cnn");
    if (!means.empty()) {
      expect_close("first_running_mean", means.front().to_vector(), "running_mean");
      expect_close("first_running_var", variances.front().to_vector(), "running_var");
      expect_close("last_running_mean", means.back().to_vector(), "running_mean");
      expect_close("last_running_var", variances.back().to_vector(), "running_var");
    }
  }

  std::string name_;
  Device device_;
  std::unique_ptr<Module> model_;
  Json case_;
  Tensor x_ = Tensor::from(random_values(batch * n_mels * frames, 1), {batch, n_mels, frames, 1});
  Tensor targets_;

  ExactConvolution exact_;  // the tolerances are those of direct sums
};

TEST_P(ModelParity, ParametersAreNamedAndOrderedAsInPyTorch) {
  std::vector<std::string> names;
  int64_t total = 0;
  for (const Named& parameter : model_->parameters()) {
    names.push_back(parameter.name);
    total += parameter.tensor.numel();
  }
  EXPECT_EQ(names, case_.at("parameters").get<std::vector<std::string>>());
  EXPECT_EQ(total, case_.at("total_parameters").get<int64_t>());
}

TEST_P(ModelParity, LogitsGradientsAndStatisticsAgree) {
  MELGRAD_SKIP_WITHOUT(device_);
  move_to_device();
  const Tensor logits = (*model_)(x_);
  expect_close("logits_train", logits.to_vector(), "logits");
  const Tensor loss = cross_entropy(logits, targets_);
  expect_loss(loss.item());
  loss.backward();
  expect_gradients();
  expect_statistics();

  model_->train(false);
  const NoGrad guard;
  expect_close("logits_eval", (*model_)(x_).to_vector(), "logits");
}

TEST_P(ModelParity, TenTrainingLossesAgree) {
  MELGRAD_SKIP_WITHOUT(device_);
  move_to_device();
  Adam optimizer({{.parameters = model_->parameters(), .weight_decay = 0.01f}}, {});
  std::vector<float> losses;
  for (int step = 0; step < 10; ++step) {
    optimizer.zero_grad();
    const Tensor loss = cross_entropy((*model_)(x_), targets_);
    losses.push_back(loss.item());
    loss.backward();
    optimizer.step(1e-3f);
  }
  expect_close("losses", losses, "losses");
}

TEST(Models, DropoutAddsNoParameterAndNoBuffer) {
  const auto names = [](const Module& model) {
    std::vector<std::string> result;
    for (const auto& all : {model.parameters(), model.buffers()}) {
      for (const Named& named : all) result.push_back(named.name);
    }
    return result;
  };
  for (const char* name : {"cnn", "resnet_small"})
    EXPECT_EQ(names(*make_model(name, 10, 0.5f)), names(*make_model(name, 10)));
}

TEST(Models, UnknownNameListsTheKnownNames) {
  expect_error([] { make_model("resnet19", 10); },
               "there is no model 'resnet19'; the models are cnn, cnn_bn, resnet_small");
}

// The large models take minutes on an emulated GPU.
bool too_slow([[maybe_unused]] const std::string& model, [[maybe_unused]] Device device) {
#if MELGRAD_EMULATED
  return device == Device::cuda && (model == "resnet18" || model == "resnet34");
#else
  return false;
#endif
}

std::vector<std::tuple<std::string, Device>> models_on_devices() {
  std::vector<std::tuple<std::string, Device>> result;
  for (const ModelInfo& model : models()) {
    for (const Device device : devices_of_build) {
      if (!too_slow(model.name, device)) result.emplace_back(model.name, device);
    }
  }
  return result;
}

std::string name_of_test(const testing::TestParamInfo<std::tuple<std::string, Device>>& test) {
  return fmt::format("{}_{}", std::get<0>(test.param), name_of(std::get<1>(test.param)));
}
INSTANTIATE_TEST_SUITE_P(All, ModelParity, testing::ValuesIn(models_on_devices()), name_of_test);

}  // namespace
}  // namespace melgrad::test
