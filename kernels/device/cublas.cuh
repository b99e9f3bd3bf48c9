// cuBLAS on the CUDA stream.
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

// The stream's handle, working in the stream's workspace: to be fetched for each product, not kept. Products of
// bfloat16 are summed in float32, those of float32 are not rounded to TF32. The first call makes the handle, which a
// graph capture does not allow.
cublasHandle_t cublas_handle(Stream&);

}  // namespace melgrad
