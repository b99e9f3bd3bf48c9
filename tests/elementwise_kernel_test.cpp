#include "kernels/add.h"
#include "kernels/scale.h"
#include "tests/reference.h"

namespace melgrad {
namespace {

using reference::DeviceArray;
using reference::random_values;

constexpr int64_t sizes[] = {1, 31, 33, 10007};

TEST(AddKernel, AddsAlsoInPlace) {
  for (const int64_t n : sizes) {
    const auto a = random_values(n, 1), b = random_values(n, 2);
    std::vector<float> sum(a);
    for (size_t i = 0; i < sum.size(); ++i) sum[i] += b[i];
    const DeviceArray<float> left(a), right(b), y(n);
    kernel::add(Stream::of(Device::cpu), left, right, y, DType::float32, n);
    EXPECT_EQ(y.values(), sum);
    kernel::add(Stream::of(Device::cpu), left, right, right, DType::float32, n);
    EXPECT_EQ(right.values(), sum);
  }
}

TEST(ScaleKernel, MultipliesAlsoInPlace) {
  for (const int64_t n : sizes) {
    const auto x = random_values(n, 1);
    std::vector<float> scaled(x);
    for (float& value : scaled) value *= -0.3f;
    const DeviceArray<float> in(x), factor(std::vector{-0.3f}), y(n);
    kernel::scale(Stream::of(Device::cpu), in, factor, y, DType::float32, n);
    EXPECT_EQ(y.values(), scaled);
    kernel::scale(Stream::of(Device::cpu), in, factor, in, DType::float32, n);
    EXPECT_EQ(in.values(), scaled);
  }
}

}  // namespace
}  // namespace melgrad
