// The expected values are the output of PyTorch's print().
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <sstream>

#include "framework/ops.h"

namespace melgrad {
namespace {

std::string text(const std::vector<float>& values, const Shape& shape) {
  return to_string(Tensor::from(values, shape));
}

std::vector<float> counting(size_t n, float step = 1) {
  std::vector<float> values(n);
  for (size_t i = 0; i < n; ++i) values[i] = static_cast<float>(i) * step;
  return values;
}

TEST(TensorText, ShowsValuesShapeDtypeAndDevice) {
  EXPECT_EQ(text({1, -2.5f, 0, 4}, {2, 2}),
            "tensor([[ 1.0000, -2.5000],\n"
            "        [ 0.0000,  4.0000]], shape=[2, 2], dtype=float32, device=cpu)");
  EXPECT_EQ(text({0.693147f}, {}), "tensor(0.6931, shape=[], dtype=float32, device=cpu)");
  EXPECT_EQ(text({}, {0, 3}), "tensor([], shape=[0, 3], dtype=float32, device=cpu)");
  EXPECT_EQ(to_string(Tensor()), "tensor(undefined)");
}

TEST(TensorText, ShowsEveryDtypeAndDevice) {
  EXPECT_EQ(to_string(cast(Tensor::full({2}, 1.5f), DType::bfloat16)),
            "tensor([1.5000, 1.5000], shape=[2], dtype=bfloat16, device=cpu)");
  EXPECT_EQ(to_string(Tensor::zeros({}, DType::uint64)), "tensor(0, shape=[], dtype=uint64, device=cpu)");
  EXPECT_EQ(to_string(Tensor::zeros({2}, DType::uint8)), "tensor([0, 0], shape=[2], dtype=uint8, device=cpu)");
  if (!Stream::available(Device::cuda)) return;
  std::ostringstream out;
  out << Tensor::full({1}, 2, Device::cuda);
  EXPECT_EQ(out.str(), "tensor([2.], shape=[1], dtype=float32, device=cuda)");
}

void expect_values(const std::string& actual, const std::string& expected) {
  EXPECT_EQ(actual.substr(0, actual.find(", shape=")), "tensor(" + expected);
}

TEST(TensorText, ChoosesTheNotationByTheRangeOfTheValues) {
  const float nan = std::nanf(""), infinity = std::numeric_limits<float>::infinity();
  expect_values(text({1, 2, 30}, {3}), "[ 1.,  2., 30.]");
  expect_values(text({1, 2000}, {2}), "[1.0000e+00, 2.0000e+03]");
  expect_values(text({1e-5f, 0.5f}, {2}), "[1.0000e-05, 5.0000e-01]");
  expect_values(text({nan, infinity, -1, 0}, {4}), "[nan, inf, -1.,  0.]");
  expect_values(text({nan, -1.5f}, {2}), "[    nan, -1.5000]");
}

TEST(TensorText, NestsAndWrapsLines) {
  expect_values(text(counting(24), {2, 3, 4}),
                "[[[ 0.,  1.,  2.,  3.],\n"
                "         [ 4.,  5.,  6.,  7.],\n"
                "         [ 8.,  9., 10., 11.]],\n"
                "\n"
                "        [[12., 13., 14., 15.],\n"
                "         [16., 17., 18., 19.],\n"
                "         [20., 21., 22., 23.]]]");
  expect_values(text(counting(20, 0.25f), {20}),
                "[0.0000, 0.2500, 0.5000, 0.7500, 1.0000, 1.2500, 1.5000, 1.7500, 2.0000,\n"
                "        2.2500, 2.5000, 2.7500, 3.0000, 3.2500, 3.5000, 3.7500, 4.0000, 4.2500,\n"
                "        4.5000, 4.7500]");
}

TEST(TensorText, ShortensLargeTensors) {
  expect_values(text(counting(2002, 0.25f), {7, 286}),
                "[[0.0000e+00, 2.5000e-01, 5.0000e-01,  ..., 7.0750e+01, 7.1000e+01,\n"
                "         7.1250e+01],\n"
                "        [7.1500e+01, 7.1750e+01, 7.2000e+01,  ..., 1.4225e+02, 1.4250e+02,\n"
                "         1.4275e+02],\n"
                "        [1.4300e+02, 1.4325e+02, 1.4350e+02,  ..., 2.1375e+02, 2.1400e+02,\n"
                "         2.1425e+02],\n"
                "        ...,\n"
                "        [2.8600e+02, 2.8625e+02, 2.8650e+02,  ..., 3.5675e+02, 3.5700e+02,\n"
                "         3.5725e+02],\n"
                "        [3.5750e+02, 3.5775e+02, 3.5800e+02,  ..., 4.2825e+02, 4.2850e+02,\n"
                "         4.2875e+02],\n"
                "        [4.2900e+02, 4.2925e+02, 4.2950e+02,  ..., 4.9975e+02, 5.0000e+02,\n"
                "         5.0025e+02]]");
  EXPECT_EQ(text(counting(1000), {1000}).find("..."), std::string::npos);
  EXPECT_NE(text(counting(1001), {1001}).find("..."), std::string::npos);
}

}  // namespace
}  // namespace melgrad
