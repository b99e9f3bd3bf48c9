#include "kernels/column_sum.h"

#include "tests/support/kernel_test.h"
#include "tests/support/reference.h"

namespace melgrad {
namespace {

using reference::DeviceArray;
using reference::random_values;

std::vector<float> column_sums(const std::vector<float>& x, int64_t rows, int64_t columns) {
  const DeviceArray<float> in(x), sums(columns);
  kernel::column_sum(Stream::of(Device::cpu), in, sums, DType::float32, rows, columns);
  return sums.values();
}

TEST(ColumnSumKernel, AddsUpEveryColumn) {
  for (const auto& [rows, columns] : {std::pair{1, 1}, {1, 31}, {33, 1}, {4099, 31}, {100003, 3}, {3, 20011}}) {
    const auto x = random_values(int64_t{rows} * columns, 1);
    std::vector<double> sums(static_cast<size_t>(columns));
    for (size_t i = 0; i < x.size(); ++i) sums[i % sums.size()] += static_cast<double>(x[i]);
    reference::expect_close(column_sums(x, rows, columns), sums, 1e-6, 1e-6);
  }
}

TEST(ColumnSumKernel, CudaAgreesWithTheCpu) {
  MELGRAD_SKIP_WITHOUT_CUDA();
  Stream& stream = Stream::of(Device::cuda);
  for (const DType dtype : test::activation_dtypes) {
    // One chunk of rows and many, whole vectors of columns and single ones.
    for (const auto& [rows, columns] :
         {std::pair{1, 1}, {1, 31}, {33, 1}, {127, 10}, {2003, 31}, {10007, 3}, {1009, 64}, {3, 1201}, {130, 1208}}) {
      const auto x = test::rounded(random_values(int64_t{rows} * columns, 1), dtype);
      const auto sums_there = [&, rows = rows, columns = columns]() -> test::Results {
        const test::Array in(stream, x, dtype), sums(stream, columns);
        kernel::column_sum(stream, in.data(), sums.floats(), dtype, rows, columns);
        return {sums.values()};
      };
      SCOPED_TRACE(testing::Message() << rows << " x " << columns << " " << name_of(dtype));
      test::expect_near(test::in_every_order(sums_there), {column_sums(x, rows, columns)}, 1e-5f, 2e-5f);
    }
  }
}

TEST(ColumnSumKernel, OfNoRowsIsZero) {
  for (const Device device : {Device::cpu, Device::cuda}) {
    if (!Stream::available(device)) continue;
    const DeviceArray<float> x(0, device), sums(3, device);
    kernel::column_sum(Stream::of(device), x, sums, DType::float32, 0, 3);
    EXPECT_EQ(sums.values(), std::vector<float>(3));
  }
}

TEST(ColumnSumKernel, RepeatsToTheBitAtAnyThreadCount) {
  const auto x = random_values(int64_t{40009} * 17, 1);
  reference::expect_same_bits_at_any_thread_count([&] { return column_sums(x, 40009, 17); });
}

}  // namespace
}  // namespace melgrad
