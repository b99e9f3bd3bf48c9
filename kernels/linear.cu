// Fully connected layers by cuBLAS, whose results are bit-identical in every run on one stream with one workspace.
//
// Memory traffic: x, w and y at least once each, 4 bytes per element in float32, 2 in 16 bits. A bias adds a pass over
// y: 8 or 4 bytes per element.
//
// cuBLAS computes column-major products. Each product is requested as its transpose, so no matrix is rearranged.
#include "kernels/linear.h"

#include "kernels/bias.cuh"
#include "kernels/device/cublas.cuh"

namespace melgrad::kernel::cuda {
namespace {

// A row-major matrix, used as stored or transposed.
struct Matrix {
  const void* data;
  int64_t stride;  // elements between stored rows
  bool transposed;

  cublasOperation_t operation() const { return transposed ? CUBLAS_OP_T : CUBLAS_OP_N; }
};

cudaDataType_t type_of(DType dtype) {
  if (dtype == DType::float32) return CUDA_R_32F;
  if (dtype == DType::bfloat16) return CUDA_R_16BF;
  if (dtype == DType::float16) return CUDA_R_16F;
  fail("linear: no matrix product for elements of type {}", name_of(dtype));
}

int to_int(int64_t extent) {
  MELGRAD_CHECK(extent <= INT32_MAX, "linear: a matrix of {} rows or columns is too large", extent);
  return static_cast<int>(extent);
}

// c [rows, columns] = a [rows, inner] b [inner, columns]. A row-major matrix is the transpose of a column-major one, so
// cuBLAS is asked for c^T = b^T a^T.
void multiply(Stream& stream, const Matrix& a, const Matrix& b, void* c, DType dtype, int64_t rows, int64_t columns,
              int64_t inner) {
  if (rows * columns == 0) return;
  const float one = 1, zero = 0;
  const cudaDataType_t type = type_of(dtype);
  cublas_check(cublasGemmEx(cublas_handle(stream), b.operation(), a.operation(), to_int(columns), to_int(rows),
                            to_int(inner), &one, b.data, type, to_int(b.stride), a.data, type, to_int(a.stride), &zero,
                            c, type, to_int(columns), CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT),
               current_range(stream));
}

}  // namespace

void linear_forward(Stream& stream, const void* x, const void* w, const float* bias, void* y, DType dtype, int64_t n,
                    int64_t in_features, int64_t out_features) {
  multiply(stream, {x, in_features, false}, {w, in_features, true}, y, dtype, n, out_features, in_features);
  // The product is already rounded to `dtype`: cuBLAS cannot add a float32 bias to a 16-bit result.
  launch_add_bias(stream, y, bias, dtype, n, out_features);
}

void linear_backward_data(Stream& stream, const void* dy, const void* w, void* dx, DType dtype, int64_t n,
                          int64_t in_features, int64_t out_features) {
  multiply(stream, {dy, out_features, false}, {w, in_features, false}, dx, dtype, n, in_features, out_features);
}

void linear_backward_weight(Stream& stream, const void* x, const void* dy, void* dw, DType dtype, int64_t n,
                            int64_t in_features, int64_t out_features) {
  multiply(stream, {dy, out_features, true}, {x, in_features, false}, dw, dtype, out_features, in_features, n);
}

}  // namespace melgrad::kernel::cuda
