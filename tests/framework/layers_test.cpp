// Dropout as an op of the graph and as a layer. tests/kernels/dropout_test.cpp tests the statistics of the mask.
#include "framework/layers.h"
#include "tests/support/devices.h"
#include "tests/support/gradient_check.h"
#include "tests/support/random.h"

namespace melgrad::test {
namespace {

TEST(Dropout, GradientAgreesWithCentralDifferences) {
  for (const int64_t n : {1, 31, 33, 1009}) {
    SCOPED_TRACE(n);
    Generator generator(3);
    const RandomStream random = generator.draw();
    Tensor x = Tensor::from(random_values(n, 1), {n}).require_grad();
    expect_gradients_are_slopes([&](const Tensors& in) { return dropout(in.at("x"), 0.3f, random); }, {{"x", x}},
                                Tensor::from(random_values(n, 2), {n}), multilinear);
  }
}

class DropoutOnDevice : public testing::TestWithParam<Device> {
 protected:
  void SetUp() override { MELGRAD_SKIP_WITHOUT(GetParam()); }
};

TEST_P(DropoutOnDevice, BackwardUsesTheMaskOfForward) {
  Generator generator(3, GetParam());
  Tensor x = Tensor::full({10007}, 1, GetParam()).require_grad();
  const Tensor y = dropout(x, 0.25f, generator.draw());
  y.backward(Tensor::full({10007}, 1, GetParam()));
  EXPECT_EQ(x.grad().to_vector(), y.to_vector());
}

INSTANTIATE_TEST_SUITE_P(Devices, DropoutOnDevice, testing::ValuesIn(devices_of_build), name_of_device);

TEST(Dropout, DrawsANewMaskAtEveryCallAndRepeatsWithTheSeed) {
  Dropout layer(0.5f);
  const Tensor x = Tensor::full({100}, 1);
  manual_seed(5);
  const auto first = layer(x).to_vector(), second = layer(x).to_vector();
  EXPECT_NE(first, second);
  manual_seed(5);
  EXPECT_EQ(layer(x).to_vector(), first);
}

TEST(Dropout, ReturnsItsInputInEvaluation) {
  Dropout layer(0.5f);
  layer.train(false);
  const Tensor x = Tensor::full({100}, 1);
  EXPECT_EQ(layer(x).data(), x.data());
}

}  // namespace
}  // namespace melgrad::test
