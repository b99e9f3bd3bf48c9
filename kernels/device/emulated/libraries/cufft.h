// The functions of cuFFT that the project calls, with the toolkit's names and meanings; the host computes what a GPU
// would. Misuse that the toolkit leaves undefined is a melgrad::Error: memory that is not the device's, no work area,
// and a work area that is the plan's own, which would escape the stream's allocator.
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
// One-dimensional D2Z of rows without gaps inside them; anything else is CUFFT_INVALID_VALUE.
cufftResult cufftMakePlanMany(cufftHandle plan, int rank, int* n, int* inembed, int istride, int idist, int* onembed,
                              int ostride, int odist, cufftType type, int batch, size_t* work_bytes);
cufftResult cufftSetStream(cufftHandle plan, cudaStream_t stream);
cufftResult cufftSetWorkArea(cufftHandle plan, void* work_area);
cufftResult cufftExecD2Z(cufftHandle plan, cufftDoubleReal* input, cufftDoubleComplex* output);
