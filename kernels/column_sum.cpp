#include "kernels/column_sum.h"

#include "kernels/device/parallel.h"

namespace melgrad::kernel::cpu {

void column_sum(Stream&, const void* x, float* sums, DType dtype, int64_t rows, int64_t columns) {
  require_float32(dtype, "column_sum");
  const auto* in = static_cast<const float*>(x);
  const int64_t chunk_rows = std::max<int64_t>(1, elements_per_chunk / columns);
  const int64_t chunks = std::max<int64_t>(1, (rows + chunk_rows - 1) / chunk_rows);
  std::vector<double> partial(static_cast<size_t>(chunks * columns));
  for_each_chunk(rows, chunk_rows, [&](int64_t chunk, int64_t begin, int64_t end) {
    double* const sum = partial.data() + chunk * columns;
    for (int64_t row = begin; row < end; ++row) {
      const float* const values = in + row * columns;
#pragma omp simd
      for (int64_t column = 0; column < columns; ++column) sum[column] += static_cast<double>(values[column]);
    }
  });
  for (int64_t chunk = 1; chunk < chunks; ++chunk) {
    for (int64_t column = 0; column < columns; ++column) {
      partial[static_cast<size_t>(column)] += partial[static_cast<size_t>(chunk * columns + column)];
    }
  }
  std::transform(partial.begin(), partial.begin() + columns, sums, [](double sum) { return static_cast<float>(sum); });
}

}  // namespace melgrad::kernel::cpu
