// Sums of columns.
//
// Memory traffic per element of x: 4 bytes in float32, 2 in bfloat16. Partial sums add 8 bytes per column and chunk of
// rows; with a single chunk the first kernel writes the result itself.
//
// Every element is read once, 16 bytes per access if the columns are a multiple of 16 bytes, and summed in registers,
// warp shuffles and shared memory (column_reduce.cuh). There are no atomics, so the order of the sums is fixed.
#include "kernels/column_sum.h"

#include "kernels/device/column_reduce.cuh"

namespace melgrad::kernel::cuda {
namespace {

template <class T, int width>
__global__ void __launch_bounds__(reduce_threads)
    column_sum_chunks(const T* x, Sum* partials, int64_t rows, int64_t columns, int64_t rows_per_chunk) {
  const Visit<width> visit(rows, columns, rows_per_chunk);
  Sum sums[width] = {};
  for (int64_t row = visit.row; row < visit.end; row += visit.step) {
    const auto values = load<width>(x + row * columns + visit.channel);
    for (int c = 0; c < width; ++c) sums[c].value += to_float(values[c]);
  }
  write_partials(sums, partials, columns);
}

__global__ void column_sum_finish(const Sum* partials, unsigned chunks, Sum* sums, int64_t columns) {
  const int64_t c = channel_of_combiner();
  const Sum total = combine_chunks(partials, chunks, c, columns);
  if (threadIdx.y == 0 && c < columns) sums[c] = total;
}

}  // namespace

void column_sum(Stream& stream, const void* x, float* sums, DType dtype, int64_t rows, int64_t columns) {
  if (rows * columns == 0) return stream.zero(sums, columns * sizeof(float));
  dispatch(dtype, columns, {x}, [&]<class T, int width>() {
    const Cut cut(rows, columns, width);
    auto* const totals = reinterpret_cast<Sum*>(sums);
    const bool one_chunk = cut.chunks == 1;
    auto* partials = one_chunk ? totals : static_cast<Sum*>(stream.workspace(cut.chunks * columns * sizeof(Sum)));
    launch(column_sum_chunks<T, width>, cut.grid(), cut.block(), 0, stream, static_cast<const T*>(x), partials, rows,
           columns, cut.rows_per_chunk);
    if (one_chunk) return;
    launch(column_sum_finish, warps_over(columns), combiner_block(), 0, stream, partials, cut.chunks, totals, columns);
  });
}

}  // namespace melgrad::kernel::cuda
