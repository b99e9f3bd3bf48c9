// The functions of cuFFT that the project calls, with the names and meanings of the toolkit, computed on the host.
// Throws melgrad::Error for misuse that the toolkit leaves undefined: host memory, no work area, and a work area that
// cuFFT would allocate itself, outside the stream's allocator.
#pragma once

#include "kernels/device/emulated/runtime.h"

enum cufftResult { CUFFT_SUCCESS = 0, CUFFT_INVALID_PLAN = 1, CUFFT_ALLOC_FAILED = 2, CUFFT_INVALID_VALUE = 4 };
enum cufftType { CUFFT_D2Z = 0x6a };

using cufftHandle = int;
using cufftDoubleReal = double;
struct alignas(16) cufftDoubleComplex {
  double x, y;
};

cufftResult cufftCreate(cufftHandle* plan);
cufftResult cufftDestroy(cufftHandle plan);
cufftResult cufftSetAutoAllocation(cufftHandle plan, int automatic);
// Supports one-dimensional D2Z with strides of 1; returns CUFFT_INVALID_VALUE for anything else.
cufftResult cufftMakePlanMany(cufftHandle plan, int rank, int* n, int* inembed, int istride, int idist, int* onembed,
                              int ostride, int odist, cufftType type, int batch, size_t* work_bytes);
cufftResult cufftSetStream(cufftHandle plan, cudaStream_t stream);
cufftResult cufftSetWorkArea(cufftHandle plan, void* work_area);
cufftResult cufftExecD2Z(cufftHandle plan, cufftDoubleReal* input, cufftDoubleComplex* output);
