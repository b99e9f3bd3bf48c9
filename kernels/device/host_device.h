// MELGRAD_HOST_DEVICE marks a function that CPU code and CUDA kernels both call.
#pragma once

#if defined(__CUDACC__)
#define MELGRAD_HOST_DEVICE __host__ __device__
#else
#define MELGRAD_HOST_DEVICE
#endif
