#include "kernels/arithmetic.h"

#include "tests/support/kernel_test.h"

namespace melgrad::test {
namespace {

constexpr int64_t sizes[] = {0, 1, 31, 33, 512, 4099};  // the last: several blocks of threads and a remainder

struct Binary {
  const char* name;
  void (*kernel)(Stream&, const void* a, const void* b, void* y, DType, int64_t n);
  float (*expected)(float a, float b);
};

constexpr Binary binary_kernels[] = {
    {"add",
     [](Stream& stream, const void* a, const void* b, void* y, DType dtype, int64_t n) {
       kernel::add(stream, a, b, y, dtype, n);
     },
     [](float a, float b) { return a + b; }},
    {"sub",
     [](Stream& stream, const void* a, const void* b, void* y, DType dtype, int64_t n) {
       kernel::sub(stream, a, b, y, dtype, n);
     },
     [](float a, float b) { return a - b; }},
    {"mul",
     [](Stream& stream, const void* a, const void* b, void* y, DType dtype, int64_t n) {
       kernel::mul(stream, a, b, y, dtype, n);
     },
     [](float a, float b) { return a * b; }},
};

class BinaryKernel : public testing::TestWithParam<Binary> {
 protected:
  // Writes to an array of its own, then in place of b.
  static Results run(Device device, const std::vector<float>& a, const std::vector<float>& b, DType dtype) {
    Stream& stream = Stream::of(device);
    const auto n = static_cast<int64_t>(a.size());
    const Array left(stream, a, dtype), right(stream, b, dtype), y(stream, n, dtype);
    GetParam().kernel(stream, left.data(), right.data(), y.data(), dtype, n);
    GetParam().kernel(stream, left.data(), right.data(), right.data(), dtype, n);
    return {y.values(), right.values()};
  }
  static std::vector<float> expected(std::vector<float> a, const std::vector<float>& b) {
    for (size_t i = 0; i < a.size(); ++i) a[i] = GetParam().expected(a[i], b[i]);
    return a;
  }
};

TEST_P(BinaryKernel, AgreesWithItsDefinitionAlsoInPlace) {
  for (const int64_t n : sizes) {
    const auto a = random_values(n, 1, unit_deviation), b = random_values(n, 2, unit_deviation);
    expect_same_bits(run(Device::cpu, a, b, DType::float32), {expected(a, b), expected(a, b)});
  }
}

TEST_P(BinaryKernel, CudaGivesTheSameBitsAsTheCpu) {
  MELGRAD_SKIP_WITHOUT_CUDA();
  for (const DType dtype : activation_dtypes) {
    for (const int64_t n : sizes) {
      const auto a = rounded(random_values(n, 1, unit_deviation), dtype);
      const auto b = rounded(random_values(n, 2, unit_deviation), dtype);
      expect_same_bits(in_every_order([&] { return run(Device::cuda, a, b, dtype); }),
                       rounded(run(Device::cpu, a, b, DType::float32), dtype));
    }
  }
}

// The arrays are not aligned to the 16 bytes that a thread moves at a time.
TEST_P(BinaryKernel, CudaTakesArraysThatBeginAnywhere) {
  MELGRAD_SKIP_WITHOUT_CUDA();
  Stream& stream = Stream::of(Device::cuda);
  for (const DType dtype : activation_dtypes) {
    const auto a = rounded(random_values(1009, 1, unit_deviation), dtype);
    const auto b = rounded(random_values(1009, 2, unit_deviation), dtype);
    const Array left(stream, a, dtype), right(stream, b, dtype), y(stream, std::vector<float>(1009, 7.0f), dtype);
    GetParam().kernel(stream, left.at(1), right.at(1), y.at(1), dtype, 1008);
    auto all = expected(a, b);
    all[0] = 7;
    expect_same_bits({y.values()}, {rounded(all, dtype)});
  }
}

INSTANTIATE_TEST_SUITE_P(Arithmetic, BinaryKernel, testing::ValuesIn(binary_kernels),
                         [](const auto& test) { return test.param.name; });

Results negate_and_scale(Device device, const std::vector<float>& x, float factor, DType dtype) {
  Stream& stream = Stream::of(device);
  const auto n = static_cast<int64_t>(x.size());
  const Array in(stream, x, dtype), by(stream, std::vector{factor}), negated(stream, n, dtype), y(stream, n, dtype);
  kernel::negate(stream, in.data(), negated.data(), dtype, n);
  kernel::scale(stream, in.data(), by.floats(), y.data(), dtype, n);
  kernel::scale(stream, in.data(), by.floats(), in.data(), dtype, n);
  return {negated.values(), y.values(), in.values()};
}

TEST(NegateAndScaleKernel, AgreeWithTheirDefinitionsAlsoInPlace) {
  for (const int64_t n : sizes) {
    const auto x = random_values(n, 1);
    std::vector<float> negated(x), scaled(x);
    for (float& value : negated) value = -value;
    for (float& value : scaled) value *= -0.3f;
    expect_same_bits(negate_and_scale(Device::cpu, x, -0.3f, DType::float32), {negated, scaled, scaled});
  }
}

TEST(NegateAndScaleKernel, CudaGivesTheSameBitsAsTheCpu) {
  MELGRAD_SKIP_WITHOUT_CUDA();
  for (const DType dtype : activation_dtypes) {
    for (const int64_t n : sizes) {
      const auto x = rounded(random_values(n, 1), dtype);
      expect_same_bits(in_every_order([&] { return negate_and_scale(Device::cuda, x, -0.3f, dtype); }),
                       rounded(negate_and_scale(Device::cpu, x, -0.3f, DType::float32), dtype));
    }
  }
}

}  // namespace
}  // namespace melgrad::test
