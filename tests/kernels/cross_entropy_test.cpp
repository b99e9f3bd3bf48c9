#include "kernels/cross_entropy.h"

#include <limits>

#include "tests/support/kernel_test.h"

namespace melgrad::test {
namespace {

// Returns the loss followed by the gradient.
std::vector<float> cross_entropy(const std::vector<float>& logits, const std::vector<float>& targets, int64_t classes,
                                 float label_smoothing) {
  Stream& stream = Stream::of(Device::cpu);
  const auto elements = static_cast<int64_t>(logits.size());
  const DeviceVector<float> z(stream, logits), t(stream, targets), loss(stream, 1), dlogits(stream, elements);
  kernel::cross_entropy(stream, z, t, loss, dlogits, DType::float32, elements / classes, classes, label_smoothing);
  std::vector<float> result = loss.values();
  for (const float value : dlogits.values()) result.push_back(value);
  return result;
}

std::vector<float> softmax(const std::vector<float>& logits, int64_t classes) {
  Stream& stream = Stream::of(Device::cpu);
  const auto elements = static_cast<int64_t>(logits.size());
  const DeviceVector<float> z(stream, logits), probabilities(stream, elements);
  kernel::softmax(stream, z, probabilities, DType::float32, elements / classes, classes);
  return probabilities.values();
}

TEST(CrossEntropyKernel, AgreesWithPyTorchOnSoftTargetsAndLargeLogits) {
  const std::vector<float> logits{1, -2, 0.5f, 3, 100, -50}, targets{0.25f, 0.75f, 0, 0, 0.5f, 0.5f};
  // torch.nn.functional.cross_entropy(logits, targets, label_smoothing=0.1), its gradient, and torch.softmax
  expect_close<double>(cross_entropy(logits, targets, 3, 0.1f),
                       {39.189796447753906, 0.17270779609680176, -0.3391372263431549, 0.16642944514751434,
                        -0.01666666753590107, 0.25833332538604736, -0.24166665971279144},
                       1e-6, 1e-7);
  expect_close<double>(softmax(logits, 3), {0.6037489175796509, 0.030058886855840683, 0.3661922216415405, 0, 1, 0},
                       1e-6, 1e-9);
}

// Loss in double precision: -mean over rows of (sum over classes of smoothed target * log softmax).
double loss_by_definition(const std::vector<double>& z, const std::vector<float>& targets, size_t classes,
                          double label_smoothing) {
  double loss = 0;
  for (size_t row = 0; row < z.size(); row += classes) {
    double sum = 0;
    for (size_t c = row; c < row + classes; ++c) sum += std::exp(z[c]);
    for (size_t c = row; c < row + classes; ++c) {
      const double target =
          (1 - label_smoothing) * static_cast<double>(targets[c]) + label_smoothing / static_cast<double>(classes);
      loss -= target * (z[c] - std::log(sum));
    }
  }
  return loss * static_cast<double>(classes) / static_cast<double>(z.size());
}

TEST(CrossEntropyKernel, AgreesWithItsDefinitionAndCentralDifferences) {
  for (const auto& [n, classes] : {std::pair{1, 1}, {1, 31}, {33, 10}, {31, 7}}) {
    const auto logits = random_values(int64_t{n} * classes, 1), targets = random_values(int64_t{n} * classes, 2);
    std::vector<double> z(logits.begin(), logits.end()), expected;
    const auto loss = [&, columns = static_cast<size_t>(classes)] {
      return loss_by_definition(z, targets, columns, 0.1f);
    };
    expected.push_back(loss());
    for (double& value : z) {
      const double here = value, step = 1e-5;
      value = here + step;
      const double above = loss();
      value = here - step;
      const double below = loss();
      value = here;
      expected.push_back((above - below) / (2 * step));
    }
    expect_close(cross_entropy(logits, targets, classes, 0.1f), expected, 1e-5, 1e-7);
  }
}

TEST(CrossEntropyKernel, PassesANanToItsLoss) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const Device device : available_devices()) {
    Stream& stream = Stream::of(device);
    for (const std::vector<float>& logits : {std::vector{nan, 1.0f}, std::vector{1.0f, nan}}) {
      const DeviceVector<float> z(stream, logits), t(stream, std::vector{1.0f, 0.0f}), loss(stream, 1);
      kernel::cross_entropy(stream, z, t, loss, nullptr, DType::float32, 1, 2, 0);
      EXPECT_TRUE(std::isnan(loss.values()[0]));
    }
  }
}

TEST(CrossEntropyKernel, WorksWithoutAGradient) {
  Stream& stream = Stream::of(Device::cpu);
  const DeviceVector<float> z(stream, std::vector{0.0f, 0.0f}), t(stream, std::vector{1.0f, 0.0f}), loss(stream, 1);
  kernel::cross_entropy(stream, z, t, loss, nullptr, DType::float32, 1, 2, 0);
  EXPECT_FLOAT_EQ(loss.values()[0], std::log(2.0f));
}

// Returns the loss, the loss computed without a gradient, the gradient, the gradient written over the logits, and the
// softmax.
Results everything(Device device, const std::vector<float>& logits, const std::vector<float>& targets, int64_t classes,
                   DType dtype) {
  Stream& stream = Stream::of(device);
  const auto elements = static_cast<int64_t>(logits.size()), n = elements / classes;
  const Array z(stream, logits, dtype), dlogits(stream, elements, dtype);
  const DeviceVector<float> t(stream, targets), probabilities(stream, elements), loss(stream, 1), loss_alone(stream, 1);
  const auto run = [&](float* to, void* gradient) {
    kernel::cross_entropy(stream, z.data(), t, to, gradient, dtype, n, classes, 0.1f);
  };
  kernel::softmax(stream, z.data(), probabilities, dtype, n, classes);
  run(loss_alone, nullptr);
  run(loss, dlogits.data());
  run(loss, z.data());
  return {loss.values(), loss_alone.values(), dlogits.values(), z.values(), probabilities.values()};
}

TEST(CrossEntropyKernel, CudaAgreesWithTheCpu) {
  MELGRAD_SKIP_WITHOUT_CUDA();
  for (const DType dtype : activation_dtypes) {
    for (const auto& [n, classes] : {std::pair{1, 1}, {1, 31}, {33, 10}, {31, 33}, {3, 1009}, {300, 2}}) {
      auto logits = rounded(random_values(int64_t{n} * classes, 1, 3 * unit_deviation), dtype);
      const auto targets = random_values(int64_t{n} * classes, 2);
      logits[0] = 100;
      const auto on_cuda = [&, c = classes] { return everything(Device::cuda, logits, targets, c, dtype); };
      SCOPED_TRACE(testing::Message() << n << " x " << classes << " " << name_of(dtype));
      expect_close(in_every_order(on_cuda), everything(Device::cpu, logits, targets, classes, DType::float32),
                   tolerance(dtype, 1e-5), 1e-6);
    }
  }
}

TEST(CrossEntropyKernel, GivesTheSameBitsAtAnyThreadCount) {
  const auto logits = random_values(int64_t{257} * 10, 1), targets = random_values(int64_t{257} * 10, 2);
  expect_same_bits_at_any_thread_count([&] { return cross_entropy(logits, targets, 10, 0.1f); });
  expect_same_bits_at_any_thread_count([&] { return softmax(logits, 10); });
}

}  // namespace
}  // namespace melgrad::test
