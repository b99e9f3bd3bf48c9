#include "kernels/column_sum.h"

#include "tests/reference.h"

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

TEST(ColumnSumKernel, RepeatsToTheBitAtAnyThreadCount) {
  const auto x = random_values(int64_t{40009} * 17, 1);
  reference::expect_same_bits_at_any_thread_count([&] { return column_sums(x, 40009, 17); });
}

}  // namespace
}  // namespace melgrad
