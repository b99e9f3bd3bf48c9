#include "kernels/cast.h"

#include <limits>

#include "tests/support/kernel_test.h"

namespace melgrad::test {
namespace {

std::vector<float> cast(Device device, const std::vector<float>& x, DType from, DType to) {
  Stream& stream = Stream::of(device);
  const auto n = static_cast<int64_t>(x.size());
  const Array in(stream, x, from), out(stream, n, to);
  kernel::cast(stream, in.data(), from, out.data(), to, n);
  return out.values();
}

class CastKernel : public testing::TestWithParam<Device> {
 protected:
  void SetUp() override { MELGRAD_SKIP_WITHOUT(GetParam()); }
};

TEST_P(CastKernel, RoundsToNearestEvenAndBackExactly) {
  for (const int64_t n : {0, 1, 4, 31, 33, 4099}) {
    for (const DType dtype : {DType::bfloat16, DType::float16}) {
      const auto x = random_values(n, 1), narrow = rounded(x, dtype);
      expect_same_bits(cast(GetParam(), x, DType::float32, dtype), narrow);
      expect_same_bits(cast(GetParam(), narrow, dtype, DType::float32), narrow);
    }
  }
}

TEST_P(CastKernel, RoundsTiesToEvenAndKeepsInfinityAndNaN) {
  const float infinity = std::numeric_limits<float>::infinity();
  // 1 + 2^-8 lies halfway between two bfloat16 and is rounded to the even one, as is 1 + 3 * 2^-8.
  const std::vector<float> x{1 + 0x1p-8f, 1 + 0x3p-8f, -infinity, std::numeric_limits<float>::max(), NAN};
  const auto y = cast(GetParam(), x, DType::float32, DType::bfloat16);
  EXPECT_EQ(y[0], 1.0f);
  EXPECT_EQ(y[1], 1 + 0x1p-6f);
  EXPECT_EQ(y[2], -infinity);
  EXPECT_EQ(y[3], infinity);
  EXPECT_TRUE(std::isnan(y[4]));
}

INSTANTIATE_TEST_SUITE_P(Devices, CastKernel, testing::ValuesIn(devices_of_build), name_of_device);

}  // namespace
}  // namespace melgrad::test
