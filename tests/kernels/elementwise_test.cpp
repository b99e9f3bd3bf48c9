#include "kernels/add.h"
#include "kernels/scale.h"
#include "tests/support/kernel_test.h"

namespace melgrad::test {
namespace {

constexpr int64_t sizes[] = {0, 1, 31, 33, 512, 4099};  // 4099: several blocks and a rest

// Returns the sum written to a separate array, and the sum written over b.
Results add(Device device, const std::vector<float>& a, const std::vector<float>& b, DType dtype) {
  Stream& stream = Stream::of(device);
  const auto n = static_cast<int64_t>(a.size());
  const Array left(stream, a, dtype), right(stream, b, dtype), y(stream, n, dtype);
  kernel::add(stream, left.data(), right.data(), y.data(), dtype, n);
  kernel::add(stream, left.data(), right.data(), right.data(), dtype, n);
  return {y.values(), right.values()};
}

// Returns the product written to a separate array, and the product written over x.
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
    expect_same_bits(add(Device::cpu, a, b, DType::float32), Results{sum, sum});
  }
}

TEST(ScaleKernel, MultipliesAlsoInPlace) {
  for (const int64_t n : sizes) {
    const auto x = random_values(n, 1);
    std::vector<float> scaled(x);
    for (float& value : scaled) value *= -0.3f;
    expect_same_bits(scale(Device::cpu, x, -0.3f, DType::float32), Results{scaled, scaled});
  }
}

TEST(AddKernel, CudaAgreesWithTheCpuToTheBit) {
  MELGRAD_SKIP_WITHOUT_CUDA();
  for (const DType dtype : activation_dtypes) {
    for (const int64_t n : sizes) {
      const auto a = rounded(random_values(n, 1), dtype), b = rounded(random_values(n, 2), dtype);
      expect_same_bits(in_every_order([&] { return add(Device::cuda, a, b, dtype); }),
                       rounded(add(Device::cpu, a, b, DType::float32), dtype));
    }
  }
}

// The arrays are not aligned to the 16 bytes of a vector load.
TEST(AddKernel, CudaTakesUnalignedArrays) {
  MELGRAD_SKIP_WITHOUT_CUDA();
  Stream& stream = Stream::of(Device::cuda);
  for (const DType dtype : activation_dtypes) {
    const auto a = rounded(random_values(1009, 1), dtype), b = rounded(random_values(1009, 2), dtype);
    const Array left(stream, a, dtype), right(stream, b, dtype), y(stream, std::vector<float>(1009, 7.0f), dtype);
    kernel::add(stream, left.at(1), right.at(1), y.at(1), dtype, 1008);
    std::vector<float> expected{7};
    for (size_t i = 1; i < a.size(); ++i) expected.push_back(a[i] + b[i]);
    expect_same_bits(y.values(), rounded(expected, dtype));
  }
}

TEST(ScaleKernel, CudaAgreesWithTheCpuToTheBit) {
  MELGRAD_SKIP_WITHOUT_CUDA();
  for (const DType dtype : activation_dtypes) {
    for (const int64_t n : sizes) {
      const auto x = rounded(random_values(n, 1), dtype);
      expect_same_bits(in_every_order([&] { return scale(Device::cuda, x, -0.3f, dtype); }),
                       rounded(scale(Device::cpu, x, -0.3f, DType::float32), dtype));
    }
  }
}

}  // namespace
}  // namespace melgrad::test
