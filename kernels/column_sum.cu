// Sums of columns.
//
// Memory traffic per element of x: 4 bytes in float32, 2 in 16 bits. Partial sums add 8 bytes per column and chunk of
// rows.
//
// Every element is read once, 16 bytes per access if the columns are a multiple of 16 bytes, and summed in registers,
// warp shuffles and shared memory; the last block adds up the chunks (column_reduce.cuh). The order of the sums is
// fixed.
#include "kernels/column_sum.h"

#include "kernels/device/column_reduce.cuh"

namespace melgrad::kernel::cuda {
namespace {

template <class T, int width>
__global__ void __launch_bounds__(reduce_threads)
    column_sum_rows(const T* x, Partials<Sum> partials, float* result, int64_t rows, int64_t columns,
                    int64_t rows_per_chunk) {
  const Visit<width> visit(rows, columns, rows_per_chunk);
  Sum sums[width] = {};
  visit.for_each_row(
      columns, [&](int64_t i) { return load<width>(x + i); },
      [&](int64_t, const Vector<T, width>& values) {
        for (int c = 0; c < width; ++c) sums[c].value += to_float(values[c]);
      });
  reduce_chunks(sums, partials, columns, [&](int64_t column, const Sum& total) { result[column] = total.value; });
}

}  // namespace

void column_sum(Stream& stream, const void* x, float* sums, DType dtype, int64_t rows, int64_t columns) {
  if (rows * columns == 0) return stream.zero(sums, columns * sizeof(float));
  dispatch(dtype, columns, {x}, [&]<class T, int width>() {
    const Cut cut(rows, columns, width);
    launch(column_sum_rows<T, width>, cut.grid(), cut.block(), 0, stream, static_cast<const T*>(x),
           Partials<Sum>(stream, cut), sums, rows, columns, cut.rows_per_chunk);
  });
}

}  // namespace melgrad::kernel::cuda
