// Matrix products by oneDNN's sgemm. Each task computes one block of the result on one thread. If sgemm distributed the
// work itself, it might split the summed dimension, and the bits would depend on the number of threads.
#include "kernels/linear.h"

#include <algorithm>
#include <new>
#include <oneapi/dnnl/dnnl.hpp>

#include "kernels/device/onednn.h"
#include "kernels/device/parallel.h"

namespace melgrad::kernel::cpu {
namespace {

// A row-major matrix, used as stored or transposed.
struct Matrix {
  const float* data;
  int64_t stride;  // elements between stored rows
  bool transposed;

  char flag() const { return transposed ? 'T' : 'N'; }
  const float* row(int64_t i) const { return data + i * (transposed ? 1 : stride); }
  const float* column(int64_t i) const { return data + i * (transposed ? stride : 1); }
};

// c [rows, columns] = a [rows, inner] b [inner, columns], plus bias [columns] in every row unless bias is null.
void multiply(const Matrix& a, const Matrix& b, const float* bias, float* c, int64_t rows, int64_t columns,
              int64_t inner) {
  constexpr int64_t block_rows = 64, block_columns = 256;
  require_room_for_code();  // every time: sgemm generates code at its first call of each kind
  const int64_t blocks_in_row = (columns + block_columns - 1) / block_columns;
  for_each_task((rows + block_rows - 1) / block_rows * blocks_in_row, [&](int64_t task) {
    const int64_t row = task / blocks_in_row * block_rows, column = task % blocks_in_row * block_columns;
    const int64_t m = std::min(block_rows, rows - row), n = std::min(block_columns, columns - column);
    float* const block = c + row * columns + column;
    for (int64_t i = 0; bias && i < m; ++i) std::copy_n(bias + column, n, block + i * columns);
    const OneDnnThread single;
    const dnnl::status status = dnnl::sgemm(a.flag(), b.flag(), m, n, inner, 1.0f, a.row(row), a.stride,
                                            b.column(column), b.stride, bias ? 1.0f : 0.0f, block, columns);
    if (status == dnnl::status::out_of_memory) throw std::bad_alloc();
    if (status != dnnl::status::success) fail("oneDNN's sgemm failed with status {}", static_cast<int>(status));
  });
}

}  // namespace

void linear_forward(Stream&, const void* x, const void* w, const float* bias, void* y, DType dtype, int64_t n,
                    int64_t in_features, int64_t out_features) {
  require_float32(dtype, "linear_forward");
  multiply({static_cast<const float*>(x), in_features, false}, {static_cast<const float*>(w), in_features, true}, bias,
           static_cast<float*>(y), n, out_features, in_features);
}

void linear_backward_data(Stream&, const void* dy, const void* w, void* dx, DType dtype, int64_t n, int64_t in_features,
                          int64_t out_features) {
  require_float32(dtype, "linear_backward_data");
  multiply({static_cast<const float*>(dy), out_features, false}, {static_cast<const float*>(w), in_features, false},
           nullptr, static_cast<float*>(dx), n, in_features, out_features);
}

void linear_backward_weight(Stream&, const void* x, const void* dy, void* dw, DType dtype, int64_t n,
                            int64_t in_features, int64_t out_features) {
  require_float32(dtype, "linear_backward_weight");
  multiply({static_cast<const float*>(dy), out_features, true}, {static_cast<const float*>(x), in_features, false},
           nullptr, static_cast<float*>(dw), out_features, in_features, n);
}

}  // namespace melgrad::kernel::cpu
