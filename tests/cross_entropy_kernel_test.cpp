#include "kernels/cross_entropy.h"

#include <limits>

#include "tests/reference.h"

namespace melgrad {
namespace {

using reference::DeviceArray;
using reference::expect_close;
using reference::random_values;

// The loss followed by the gradient.
std::vector<float> cross_entropy(const std::vector<float>& logits, const std::vector<float>& targets, int64_t classes,
                                 float label_smoothing) {
  const auto elements = static_cast<int64_t>(logits.size());
  const DeviceArray<float> z(logits), t(targets), loss(1), dlogits(elements);
  kernel::cross_entropy(Stream::of(Device::cpu), z, t, loss, dlogits, DType::float32, elements / classes, classes,
                        label_smoothing);
  std::vector<float> result = loss.values();
  for (const float value : dlogits.values()) result.push_back(value);
  return result;
}

std::vector<float> softmax(const std::vector<float>& logits, int64_t classes) {
  const auto elements = static_cast<int64_t>(logits.size());
  const DeviceArray<float> z(logits), probabilities(elements);
  kernel::softmax(Stream::of(Device::cpu), z, probabilities, DType::float32, elements / classes, classes);
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

// -mean over the rows of sum over the classes of smoothed target * log softmax.
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
    const auto loss = [&] { return loss_by_definition(z, targets, static_cast<size_t>(classes), 0.1f); };
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

TEST(CrossEntropyKernel, ShowsANanInItsLoss) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const std::vector<float>& logits : {std::vector{nan, 1.0f}, std::vector{1.0f, nan}}) {
    EXPECT_TRUE(std::isnan(cross_entropy(logits, {1, 0}, 2, 0)[0]));
  }
}

TEST(CrossEntropyKernel, DoesWithoutTheGradient) {
  const DeviceArray<float> z(std::vector{0.0f, 0.0f}), t(std::vector{1.0f, 0.0f}), loss(1);
  kernel::cross_entropy(Stream::of(Device::cpu), z, t, loss, nullptr, DType::float32, 1, 2, 0);
  EXPECT_FLOAT_EQ(loss.values()[0], std::log(2.0f));
}

TEST(CrossEntropyKernel, RepeatsToTheBitAtAnyThreadCount) {
  const auto logits = random_values(int64_t{257} * 10, 1), targets = random_values(int64_t{257} * 10, 2);
  reference::expect_same_bits_at_any_thread_count([&] { return cross_entropy(logits, targets, 10, 0.1f); });
  reference::expect_same_bits_at_any_thread_count([&] { return softmax(logits, 10); });
}

}  // namespace
}  // namespace melgrad
