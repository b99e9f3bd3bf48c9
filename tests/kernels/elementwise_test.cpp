#include "kernels/add.h"
#include "kernels/scale.h"
#include "tests/support/kernel_test.h"

namespace melgrad {
namespace {

using test::Array;
using test::random_values;
using test::Results;

constexpr int64_t sizes[] = {0, 1, 31, 33, 512, 4099};  // the last: several blocks and a tail

// What it writes to an array of its own and what in place of b.
Results add(Device device, const std::vector<float>& a, const std::vector<float>& b, DType dtype) {
  Stream& stream = Stream::of(device);
  const auto n = static_cast<int64_t>(a.size());
  const Array left(stream, a, dtype), right(stream, b, dtype), y(stream, n, dtype);
  kernel::add(stream, left.data(), right.data(), y.data(), dtype, n);
  kernel::add(stream, left.data(), right.data(), right.data(), dtype, n);
  return {y.values(), right.values()};
}

Results scale(Device device, const std::vector<float>& x, float factor, DType dtype) {
  Stream& stream = Stream::of(device);
  const auto n = static_cast<int64_t>(x.size());
  const Array in(stream, x, dtype), by(stream, std::vector{factor}), y(stream, n, dtype);
  kernel::scale(stream, in.data(), by.floats(), y.data(), dtype, n);
  kernel::scale(stream, in.data(), by.floats(), in.data(), dtype, n);
  return {y.values(), in.values()};
}

TEST(AddKernel, AddsAlsoInPlace) {
  for (const int64_t n : sizes) {
    const auto a = random_values(n, 1), b = random_values(n, 2);
    std::vector<float> sum(a);
    for (size_t i = 0; i < sum.size(); ++i) sum[i] += b[i];
    test::expect_same_bits(add(Device::cpu, a, b, DType::float32), {sum, sum});
  }
}

TEST(ScaleKernel, MultipliesAlsoInPlace) {
  for (const int64_t n : sizes) {
    const auto x = random_values(n, 1);
    std::vector<float> scaled(x);
    for (float& value : scaled) value *= -0.3f;
    test::expect_same_bits(scale(Device::cpu, x, -0.3f, DType::float32), {scaled, scaled});
  }
}

TEST(AddKernel, CudaAgreesWithTheCpuToTheBit) {
  MELGRAD_SKIP_WITHOUT_CUDA();
  for (const DType dtype : test::activation_dtypes) {
    for (const int64_t n : sizes) {
      const auto a = test::rounded(random_values(n, 1), dtype), b = test::rounded(random_values(n, 2), dtype);
      test::expect_same_bits(test::in_every_order([&] { return add(Device::cuda, a, b, dtype); }),
                             test::rounded(add(Device::cpu, a, b, DType::float32), dtype));
    }
  }
}

// Too little aligned for 16 bytes at a time.
TEST(AddKernel, CudaTakesArraysThatBeginAnywhere) {
  MELGRAD_SKIP_WITHOUT_CUDA();
  Stream& stream = Stream::of(Device::cuda);
  for (const DType dtype : test::activation_dtypes) {
    const auto a = test::rounded(random_values(1009, 1), dtype), b = test::rounded(random_values(1009, 2), dtype);
    const Array left(stream, a, dtype), right(stream, b, dtype), y(stream, std::vector<float>(1009, 7.0f), dtype);
    kernel::add(stream, left.at(1), right.at(1), y.at(1), dtype, 1008);
    std::vector<float> expected{7};
    for (size_t i = 1; i < a.size(); ++i) expected.push_back(a[i] + b[i]);
    test::expect_same_bits({y.values()}, {test::rounded(expected, dtype)});
  }
}

TEST(ScaleKernel, CudaAgreesWithTheCpuToTheBit) {
  MELGRAD_SKIP_WITHOUT_CUDA();
  for (const DType dtype : test::activation_dtypes) {
    for (const int64_t n : sizes) {
      const auto x = test::rounded(random_values(n, 1), dtype);
      test::expect_same_bits(test::in_every_order([&] { return scale(Device::cuda, x, -0.3f, dtype); }),
                             test::rounded(scale(Device::cpu, x, -0.3f, DType::float32), dtype));
    }
  }
}

}  // namespace
}  // namespace melgrad
