#include "kernels/device/cublas.cuh"

#include "kernels/device/cuda_owners.cuh"

namespace melgrad {
namespace {

// What NVIDIA recommends for Hopper; others need less. Without a workspace of ours cuBLAS would allocate its own while
// a graph is captured.
constexpr size_t workspace_bytes = 32 << 20;

using Handle = Owned<cublasHandle_t, cublasDestroy>;

Handle make_handle(Stream& stream) {
  cublasHandle_t created = nullptr;
  cublas_check(cublasCreate(&created), "cublasCreate");
  Handle handle(created);
  cublas_check(cublasSetStream(created, native_stream(stream)), "cublasSetStream");
  // By default partial sums of a product of bfloat16 may be added in bfloat16.
  cublas_check(cublasSetMathMode(created, CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION), "cublasSetMathMode");
  return handle;
}

}  // namespace

cublasHandle_t cublas_handle(Stream& stream) {
  // There is one CUDA stream. Never destroyed, like the stream: at exit the driver may be gone first.
  static const Handle& handle = *new Handle(make_handle(stream));
  // Each time, because the workspace moves when it grows; after cublasSetStream, which takes it away.
  cublas_check(cublasSetWorkspace(handle.get(), stream.workspace(workspace_bytes), workspace_bytes),
               "cublasSetWorkspace");
  return handle.get();
}

}  // namespace melgrad
