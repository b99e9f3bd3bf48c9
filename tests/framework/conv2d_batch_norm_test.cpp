// Convolution with batch norm in evaluation: the fused op agrees with the separate ones, which fixtures compare with
// PyTorch, and layers choose it only when no gradient is needed.
#include <cmath>
#include <functional>

#include "framework/layers.h"
#include "framework/ops.h"
#include "kernels/convolution/exact.h"
#include "tests/support/compare.h"
#include "tests/support/devices.h"
#include "tests/support/errors.h"
#include "tests/support/random.h"

namespace melgrad::test {
namespace {

constexpr BatchNormOptions evaluation{.training = false, .epsilon = 1e-3f};

struct Case {
  int64_t in_channels, out_channels, kernel_size, stride, padding;
};
// Winograd's algorithm with whole and partial panels of channels, direct sums, and the one-channel stem.
constexpr Case cases[] = {{32, 32, 3, 1, 1}, {16, 21, 3, 1, 1}, {16, 40, 3, 2, 1}, {5, 7, 1, 2, 0}, {1, 16, 7, 2, 3}};

struct Operands {
  Conv2dInput conv;
  Tensor gamma, beta, residual;
  BatchNormState state;

  Operands(const Case& c, Device device, DType dtype) {
    const auto values = [&](const Shape& shape, uint64_t seed) {
      return Tensor::from(rounded(random_values(shape.numel(), seed), dtype), shape, device);
    };
    conv = {cast(values({3, 13, 11, c.in_channels}, 1), dtype),
            cast(values({c.out_channels, c.kernel_size, c.kernel_size, c.in_channels}, 2), dtype), c.stride, c.padding};
    gamma = values({c.out_channels}, 3);
    beta = values({c.out_channels}, 4);
    state = {values({c.out_channels}, 5), Tensor::full({c.out_channels}, 2, device), {}};
    residual = cast(values(conv2d(conv.x, conv.w, {}, c.stride, c.padding).shape(), 6), dtype);
  }
  Tensor fused(const BatchNormFollowers& followers) {
    return conv2d_batch_norm(conv, gamma, beta, state, evaluation, followers);
  }
  Tensor separate(const BatchNormFollowers& followers) {
    Tensor y = batch_norm(conv2d(conv.x, conv.w, {}, conv.stride, conv.padding), gamma, beta, state, evaluation);
    if (followers.residual.defined()) y = y + followers.residual;
    return followers.relu ? relu(y) : y;
  }
};

TEST(Conv2dBatchNorm, AgreesWithTheSeparateOps) {
  const NoGrad no_gradients;
  for (const Case& c : cases) {
    for (const Device device : available_devices()) {
      for (const DType dtype : activation_dtypes) {
        if (dtype != DType::float32 && device == Device::cpu) continue;
        Operands operands(c, device, dtype);
        for (const bool relu : {false, true}) {
          for (const Tensor& residual : {Tensor(), operands.residual}) {
            SCOPED_TRACE(testing::Message()
                         << c.in_channels << " to " << c.out_channels << " channels, kernel " << c.kernel_size
                         << ", stride " << c.stride << ", " << name_of(device) << " " << name_of(dtype)
                         << (relu ? ", relu" : "") << (residual.defined() ? ", residual" : ""));
            const BatchNormFollowers followers{.residual = residual, .relu = relu};
            expect_close({cast(operands.fused(followers), DType::float32).to_vector()},
                         {cast(operands.separate(followers), DType::float32).to_vector()}, tolerance(dtype, 2e-5),
                         dtype == DType::float32 ? 2e-5 : 0.05);
          }
        }
      }
    }
  }
}

// Winograd's algorithm spreads a NaN over its tile, a direct sum over the neighbours of the pixel.
TEST(Conv2dBatchNorm, ANaNStaysANaNAfterReLU) {
  const NoGrad no_gradients;
  for (const Case& c : {cases[0], cases[2]}) {
    Operands operands(c, Device::cpu, DType::float32);
    operands.conv.x.as<float>()[0] = std::nanf("");
    const std::vector<float> y = operands.fused({.relu = true}).to_vector();
    EXPECT_TRUE(std::isnan(y[0])) << "stride " << c.stride;
  }
}

TEST(Conv2dBatchNorm, CannotTrain) {
  Operands operands(cases[0], Device::cpu, DType::float32);
  expect_error(
      [&] { conv2d_batch_norm(operands.conv, operands.gamma, operands.beta, operands.state, {.training = true}, {}); },
      "conv2d_batch_norm normalises by running statistics and cannot train");
}

// Counts the outputs of modules, which a fused pass would hide.
class Counter : public ForwardObserver {
 public:
  void called(const Module&, const Tensor&, int64_t) override { ++calls; }
  int calls = 0;
};

TEST(Conv2dBatchNorm, LayersFoldOnlyInEvaluationWithoutGradientsAndObservers) {
  Conv2d conv(16, 16, {.padding = 1, .bias = false}), with_bias(16, 16, {.padding = 1});
  BatchNorm2d norm(16);
  EXPECT_FALSE(norm.folds_into(conv));
  norm.train(false);
  EXPECT_FALSE(norm.folds_into(conv));
  const NoGrad no_gradients;
  EXPECT_TRUE(norm.folds_into(conv));
  EXPECT_FALSE(norm.folds_into(with_bias));
  const Shape shape{2, 5, 7, 16};
  const Tensor x = Tensor::from(random_values(shape.numel(), 1), shape);
  const Tensor folded = norm.relu(conv, x);
  Counter counter;
  EXPECT_FALSE(norm.folds_into(conv));
  const Tensor separate = norm.relu(conv, x);
  EXPECT_EQ(counter.calls, 2);
  expect_close({folded.to_vector()}, {separate.to_vector()}, 1e-5, 1e-5);
}

}  // namespace
}  // namespace melgrad::test
