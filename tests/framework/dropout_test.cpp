// Dropout in the graph; tests/kernels/dropout_test.cpp proves the mask's statistics.
#include "framework/layers.h"
#include "tests/support/devices.h"
#include "tests/support/gradient_check.h"
#include "tests/support/reference.h"

namespace melgrad {
namespace {

using reference::random_values;

TEST(Dropout, ItsGradientIsTheSlope) {
  for (const int64_t n : {1, 31, 33, 1009}) {
    SCOPED_TRACE(n);
    Generator generator(3);
    const RandomStream random = generator.draw();
    Tensor x = Tensor::from(random_values(n, 1), {n}).require_grad();
    expect_gradients_are_slopes([&](const Tensors& in) { return dropout(in.at("x"), 0.3f, random); }, {{"x", x}},
                                Tensor::from(random_values(n, 2), {n}), multilinear);
  }
}

class DropoutOnDevice : public testing::TestWithParam<Device> {};

TEST_P(DropoutOnDevice, BackwardUsesTheMaskOfForward) {
  run_on(GetParam(), [] {
    Generator generator(3, GetParam());
    Tensor x = Tensor::full({10007}, 1, GetParam()).require_grad();
    const Tensor y = dropout(x, 0.25f, generator.draw());
    y.backward(Tensor::full({10007}, 1, GetParam()));
    EXPECT_EQ(x.grad().to_vector(), y.to_vector());
  });
}

INSTANTIATE_TEST_SUITE_P(Devices, DropoutOnDevice, testing::ValuesIn(devices), name_of_device);

TEST(Dropout, DrawsAFreshMaskAtEveryCallAndTheSameAfterTheSameSeed) {
  Dropout layer(0.5f);
  const Tensor x = Tensor::full({100}, 1);
  manual_seed(5);
  const auto first = layer(x).to_vector(), second = layer(x).to_vector();
  EXPECT_NE(first, second);
  manual_seed(5);
  EXPECT_EQ(layer(x).to_vector(), first);
}

TEST(Dropout, PassesItsInputThroughInEvaluation) {
  Dropout layer(0.5f);
  layer.train(false);
  const Tensor x = Tensor::full({100}, 1);
  EXPECT_EQ(layer(x).data(), x.data());
}

}  // namespace
}  // namespace melgrad
