// The cuBLAS handle of the CUDA stream. It computes nothing itself.
//
// cuBLAS works in the stream's workspace, so a product allocates nothing and can be captured in a CUDA graph.
#include "kernels/device/cublas.cuh"

#include "kernels/device/cuda_owners.cuh"
#include "kernels/device/tf32.h"

namespace melgrad {
namespace {

// NVIDIA's recommendation for Hopper; older GPUs need less. Without it, cuBLAS would allocate its own during a capture.
constexpr size_t workspace_bytes = 32 << 20;

using Handle = Owned<cublasHandle_t, cublasDestroy>;

Handle make_handle(Stream& stream) {
  cublasHandle_t created = nullptr;
  cublas_check(cublasCreate(&created), "cublasCreate");
  Handle handle(created);
  cublas_check(cublasSetStream(created, native_stream(stream)), "cublasSetStream");
  return handle;
}

}  // namespace

cublasHandle_t cublas_handle(Stream& stream) {
  // One handle suffices, because there is one CUDA stream. It is never destroyed, because the driver may shut down
  // first.
  static const Handle& handle = *new Handle(make_handle(stream));
  // The workspace is set at every call, because it moves when it grows, and after cublasSetStream, which resets it.
  cublas_check(cublasSetWorkspace(handle.get(), stream.workspace(workspace_bytes), workspace_bytes),
               "cublasSetWorkspace");
  // By default, cuBLAS may add partial sums of a 16-bit product in 16 bits.
  const int mode = CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION |
                   (kernel::tf32() ? CUBLAS_TF32_TENSOR_OP_MATH : CUBLAS_DEFAULT_MATH);
  cublas_check(cublasSetMathMode(handle.get(), static_cast<cublasMath_t>(mode)), "cublasSetMathMode");
  return handle.get();
}

}  // namespace melgrad
