// The cuBLAS handle of the CUDA stream.
#pragma once

#include "kernels/device/cuda.cuh"

#if MELGRAD_EMULATED
#include "kernels/device/emulated/libraries/cublas_v2.h"
#else
#include <cublas_v2.h>
#endif

namespace melgrad {

inline void cublas_check(cublasStatus_t status, const char* what) {
  if (status == CUBLAS_STATUS_ALLOC_FAILED) throw_out_of_memory(what);
  if (status != CUBLAS_STATUS_SUCCESS) {
    throw DeviceError(fmt::format("{}: {}", what, cublasGetStatusString(status)));
  }
}

// The handle works in the stream's workspace, so get it again for each product. Products of 16-bit types are summed in
// float32; products of float32 use TF32 only if tf32.h allows it. The first call creates the handle and must precede a
// CUDA graph capture.
cublasHandle_t cublas_handle(Stream&);

}  // namespace melgrad
