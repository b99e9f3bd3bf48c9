#include "kernels/column_sum.h"

#include "kernels/parallel.h"

namespace melgrad::kernel::cpu {

void column_sum(Stream&, const void* x, float* sums, DType dtype, int64_t rows, int64_t columns) {
  require_float32(dtype, "column_sum");
  const auto* in = static_cast<const float*>(x);
  // A chunk is some 64 KiB of rows. Its sums start afresh, so rounding does not grow with the number of rows.
  const int64_t chunk_rows = std::max<int64_t>(1, 16384 / columns);
  const int64_t chunks = (rows + chunk_rows - 1) / chunk_rows;
  std::vector<float> partial(static_cast<size_t>(chunks * columns));
  for_each_chunk(rows, chunk_rows, [&](int64_t chunk, int64_t begin, int64_t end) {
    float* const sum = partial.data() + chunk * columns;
    for (int64_t row = begin; row < end; ++row) {
      const float* const values = in + row * columns;
#pragma omp simd
      for (int64_t column = 0; column < columns; ++column) sum[column] += values[column];
    }
  });
  std::vector<double> total(static_cast<size_t>(columns));
  for (int64_t chunk = 0; chunk < chunks; ++chunk) {
    for (int64_t column = 0; column < columns; ++column) {
      total[static_cast<size_t>(column)] += static_cast<double>(partial[static_cast<size_t>(chunk * columns + column)]);
    }
  }
  std::copy(total.begin(), total.end(), sums);
}

}  // namespace melgrad::kernel::cpu
