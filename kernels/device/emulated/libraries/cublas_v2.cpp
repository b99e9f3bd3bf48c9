#include "kernels/device/emulated/libraries/cublas_v2.h"

#include <fmt/format.h>

#include <cstdint>

#include "kernels/device/emulated/device_memory.h"
#include "kernels/device/emulated/libraries/tf32.h"
#include "kernels/device/emulated/observer.h"
#include "kernels/device/low_precision.h"

struct cublasContext {
  void* workspace = nullptr;
  cudaStream_t stream = nullptr;
  bool tf32 = false;
};

namespace {

using emulated_cuda::Ownership;

bool on_device(const void* pointer) { return emulated_cuda::ownership(pointer) == Ownership::device; }

melgrad::DType dtype_of(cudaDataType_t type) {
  switch (type) {
    case CUDA_R_16BF:
      return melgrad::DType::bfloat16;
    case CUDA_R_16F:
      return melgrad::DType::float16;
    case CUDA_R_32F:
      break;
  }
  return melgrad::DType::float32;
}

struct Operand {
  const void* data;
  cudaDataType_t type;
  int64_t row_stride, column_stride;
  bool tf32;

  Operand(cublasOperation_t operation, const void* data_, cudaDataType_t type_, int leading, bool tf32_)
      : data(data_),
        type(type_),
        row_stride(operation == CUBLAS_OP_N ? 1 : leading),
        column_stride(operation == CUBLAS_OP_N ? leading : 1),
        tf32(tf32_) {}

  float operator()(int64_t row, int64_t column) const {
    const int64_t at = row * row_stride + column * column_stride;
    const float value = melgrad::dispatch_type(
        dtype_of(type), [&]<class T>() { return melgrad::to_float(static_cast<const T*>(data)[at]); });
    return tf32 ? emulated_cuda::round_to_tf32(value) : value;
  }
};

}  // namespace

const char* cublasGetStatusString(cublasStatus_t status) {
  switch (status) {
    case CUBLAS_STATUS_SUCCESS:
      return "the operation completed successfully";
    case CUBLAS_STATUS_NOT_INITIALIZED:
      return "the library was not initialized";
    case CUBLAS_STATUS_ALLOC_FAILED:
      return "the resource allocation failed";
    case CUBLAS_STATUS_INVALID_VALUE:
      return "an unsupported value or parameter was passed to the function";
    case CUBLAS_STATUS_NOT_SUPPORTED:
      return "the functionality requested is not supported";
  }
  return "unknown";
}

cublasStatus_t cublasCreate(cublasHandle_t* handle) {
  *handle = new cublasContext;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasDestroy(cublasHandle_t handle) {
  delete handle;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetStream(cublasHandle_t handle, cudaStream_t stream) {
  handle->stream = stream;
  handle->workspace = nullptr;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetWorkspace(cublasHandle_t handle, void* workspace, size_t) {
  constexpr uintptr_t alignment = 256;
  if (!on_device(workspace) || reinterpret_cast<uintptr_t>(workspace) % alignment != 0) {
    return CUBLAS_STATUS_INVALID_VALUE;
  }
  handle->workspace = workspace;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetMathMode(cublasHandle_t handle, cublasMath_t mode) {
  handle->tf32 = (mode & CUBLAS_TF32_TENSOR_OP_MATH) == CUBLAS_TF32_TENSOR_OP_MATH;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasGemmEx(cublasHandle_t handle, cublasOperation_t op_a, cublasOperation_t op_b, int m, int n, int k,
                            const void* alpha, const void* a, cudaDataType_t a_type, int lda, const void* b,
                            cudaDataType_t b_type, int ldb, const void* beta, void* c, cudaDataType_t c_type, int ldc,
                            cublasComputeType_t, cublasGemmAlgo_t) {
  if (!handle || !on_device(handle->workspace)) return CUBLAS_STATUS_NOT_INITIALIZED;
  const bool fits = m >= 0 && n >= 0 && k >= 0 && lda >= (op_a == CUBLAS_OP_N ? m : k) &&
                    ldb >= (op_b == CUBLAS_OP_N ? k : n) && ldc >= m;
  if (!fits || lda < 1 || ldb < 1 || ldc < 1) return CUBLAS_STATUS_INVALID_VALUE;
  if (!on_device(a) || !on_device(b) || !on_device(c)) return CUBLAS_STATUS_INVALID_VALUE;
  if (a_type != b_type || a_type != c_type) return CUBLAS_STATUS_NOT_SUPPORTED;

  const double element_bytes = c_type == CUDA_R_32F ? 4 : 2;
  if (emulated_cuda::observer) {
    emulated_cuda::observer->library_call("gemm", fmt::format("{}x{}x{}", m, n, k).c_str(), 2.0 * m * n * k,
                                          element_bytes * (1.0 * m * k + 1.0 * k * n + 1.0 * m * n));
  }
  const bool tf32 = handle->tf32 && c_type == CUDA_R_32F;
  const Operand left(op_a, a, a_type, lda, tf32), right(op_b, b, b_type, ldb, tf32),
      before(CUBLAS_OP_N, c, c_type, ldc, false);
  const float by = *static_cast<const float*>(alpha), kept = *static_cast<const float*>(beta);
  emulated_cuda::enqueue(handle->stream, [=] {
    const emulated_cuda::DeviceMemoryScope accessible;
    for (int column = 0; column < n; ++column) {
      for (int row = 0; row < m; ++row) {
        float sum = 0;
        for (int i = 0; i < k; ++i) sum += left(row, i) * right(i, column);
        const float value = by * sum + (kept == 0 ? 0 : kept * before(row, column));
        const int64_t at = row + int64_t{column} * ldc;
        melgrad::dispatch_type(dtype_of(c_type),
                               [&]<class T>() { static_cast<T*>(c)[at] = melgrad::from_float<T>(value); });
      }
    }
  });
  return CUBLAS_STATUS_SUCCESS;
}
