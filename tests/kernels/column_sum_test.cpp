#include "kernels/column_sum.h"

#include "tests/support/kernel_test.h"

namespace melgrad::test {
namespace {

std::vector<float> column_sums(const std::vector<float>& x, int64_t rows, int64_t columns, Device device = Device::cpu,
                               DType dtype = DType::float32) {
  Stream& stream = Stream::of(device);
  const Array in(stream, x, dtype);
  const DeviceVector<float> sums(stream, columns);
  kernel::column_sum(stream, in.data(), sums, dtype, rows, columns);
  return sums.values();
}

TEST(ColumnSumKernel, AddsUpEveryColumn) {
  for (const auto& [rows, columns] : {std::pair{1, 1}, {1, 31}, {33, 1}, {4099, 31}, {100003, 3}, {3, 20011}}) {
    const auto x = random_values(int64_t{rows} * columns, 1);
    std::vector<double> sums(static_cast<size_t>(columns));
    for (size_t i = 0; i < x.size(); ++i) sums[i % sums.size()] += static_cast<double>(x[i]);
    expect_close(column_sums(x, rows, columns), sums, 1e-6, 1e-6);
  }
}

TEST(ColumnSumKernel, CudaAgreesWithTheCpu) {
  MELGRAD_SKIP_WITHOUT_CUDA();
  for (const DType dtype : activation_dtypes) {
    // One chunk of rows and many chunks; numbers of columns that are and are not multiples of a vector load.
    for (const auto& [rows, columns] :
         {std::pair{1, 1}, {1, 31}, {33, 1}, {127, 10}, {2003, 31}, {10007, 3}, {1009, 64}, {3, 1201}, {130, 1208}}) {
      const auto x = rounded(random_values(int64_t{rows} * columns, 1), dtype);
      const auto on_cuda = [&, rows = rows, columns = columns] {
        return column_sums(x, rows, columns, Device::cuda, dtype);
      };
      SCOPED_TRACE(testing::Message() << rows << " x " << columns << " " << name_of(dtype));
      expect_close(in_every_order(on_cuda), column_sums(x, rows, columns), 1e-5, 2e-5);
    }
  }
}

TEST(ColumnSumKernel, IsZeroWithoutRows) {
  for (const Device device : available_devices()) {
    EXPECT_EQ(column_sums({}, 0, 3, device), std::vector<float>(3));
  }
}

TEST(ColumnSumKernel, GivesTheSameBitsAtAnyThreadCount) {
  const auto x = random_values(int64_t{40009} * 17, 1);
  expect_same_bits_at_any_thread_count([&] { return column_sums(x, 40009, 17); });
}

}  // namespace
}  // namespace melgrad::test
