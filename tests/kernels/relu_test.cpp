#include "kernels/relu.h"

#include <cmath>
#include <limits>

#include "tests/support/kernel_test.h"

namespace melgrad::test {
namespace {

Results relu(Device device, const std::vector<float>& x, const std::vector<float>& dy, DType dtype) {
  Stream& stream = Stream::of(device);
  const auto n = static_cast<int64_t>(x.size());
  const Array in(stream, x, dtype), d_out(stream, dy, dtype);
  const Array out(stream, n, dtype), d_in(stream, n, dtype);
  kernel::relu_forward(stream, in.data(), out.data(), dtype, n);
  kernel::relu_backward(stream, out.data(), d_out.data(), d_in.data(), dtype, n);
  return {out.values(), d_in.values()};
}

TEST(ReluKernel, AgreesWithItsDefinition) {
  for (const int64_t n : {0, 1, 31, 33, 1009}) {
    const auto x = random_values(n, 1), dy = random_values(n, 2);
    Results expected{x, dy};
    for (size_t i = 0; i < x.size(); ++i) {
      if (x[i] <= 0) expected[0][i] = expected[1][i] = 0;
    }
    expect_same_bits(relu(Device::cpu, x, dy, DType::float32), expected);
  }
}

TEST(ReluKernel, CudaGivesTheSameBitsAsTheCpu) {
  MELGRAD_SKIP_WITHOUT_CUDA();
  for (const DType dtype : activation_dtypes) {
    for (const int64_t n : {0, 1, 31, 33, 512, 4099}) {
      const auto x = rounded(random_values(n, 1), dtype);
      const auto dy = rounded(random_values(n, 2), dtype);
      expect_same_bits(in_every_order([&] { return relu(Device::cuda, x, dy, dtype); }),
                       relu(Device::cpu, x, dy, DType::float32));
    }
  }
}

TEST(ReluKernel, KeepsNaN) {
  const std::vector<float> x(8, std::numeric_limits<float>::quiet_NaN());
  for (const Device device : available_devices()) {
    const Results results = relu(device, x, x, DType::float32);
    for (const float y : results[0]) EXPECT_TRUE(std::isnan(y));
  }
}

}  // namespace
}  // namespace melgrad::test
