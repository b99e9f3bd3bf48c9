#include "kernels/sum.h"

#include <numeric>

#include "tests/support/kernel_test.h"

namespace melgrad::test {
namespace {

constexpr int64_t sizes[] = {0, 1, 31, 33, 4096, 4099, 100003};
constexpr float factor = 0.25f;

// The sum of the values from element `offset` on.
std::vector<float> sum(Device device, const std::vector<float>& x, DType dtype, size_t offset = 0) {
  Stream& stream = Stream::of(device);
  const Array in(stream, x, dtype), y(stream, 1);
  kernel::sum_forward(stream, in.at(offset), y.floats(), dtype, static_cast<int64_t>(x.size() - offset), factor);
  return y.values();
}

std::vector<float> gradient(Device device, int64_t n, float dy, DType dtype) {
  Stream& stream = Stream::of(device);
  const Array scalar(stream, std::vector{dy}), dx(stream, n, dtype);
  kernel::sum_backward(stream, scalar.floats(), dx.data(), dtype, n, factor);
  return dx.values();
}

TEST(SumKernel, AddsUpAllElements) {
  for (const Device device : available_devices()) {
    for (const DType dtype : activation_dtypes) {
      if (device == Device::cpu && dtype != DType::float32) continue;
      for (const int64_t n : sizes) {
        SCOPED_TRACE(testing::Message() << name_of(device) << " " << name_of(dtype) << " " << n);
        const auto x = rounded(random_values(n, 1, 1, 1), dtype);
        const double exact = std::accumulate(x.begin(), x.end(), 0.0) * static_cast<double>(factor);
        const auto run = [&]() -> Results { return {sum(device, x, dtype)}; };
        expect_close(device == Device::cuda ? in_every_order(run) : run(), Results{{static_cast<float>(exact)}}, 1e-6,
                     1e-6);
      }
    }
  }
}

TEST(SumKernel, CudaTakesArraysThatBeginAnywhere) {
  MELGRAD_SKIP_WITHOUT_CUDA();
  const auto x = random_values(9001, 1, 1, 1);
  const double exact = std::accumulate(x.begin() + 1, x.end(), 0.0) * static_cast<double>(factor);
  expect_close(Results{sum(Device::cuda, x, DType::float32, 1)}, Results{{static_cast<float>(exact)}}, 1e-6, 0);
}

TEST(SumKernel, SpreadsTheGradientToAllElements) {
  for (const Device device : available_devices()) {
    for (const int64_t n : sizes) {
      const std::vector<float> expected(static_cast<size_t>(n), -1.5f * factor);
      EXPECT_EQ(gradient(device, n, -1.5f, DType::float32), expected);
      if (device == Device::cpu) continue;
      EXPECT_EQ(gradient(device, n, -1.5f, DType::bfloat16), expected);
    }
  }
}

TEST(SumKernel, GivesTheSameBitsAtAnyThreadCount) {
  const auto x = random_values(300007, 1);
  expect_same_bits_at_any_thread_count([&]() -> Results { return {sum(Device::cpu, x, DType::float32)}; });
}

}  // namespace
}  // namespace melgrad::test
