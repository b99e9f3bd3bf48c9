// MELGRAD_HOST_DEVICE marks a function that both the CPU and CUDA kernels call.
#pragma once

#if defined(__CUDACC__)
#define MELGRAD_HOST_DEVICE __host__ __device__
#else
#define MELGRAD_HOST_DEVICE
#endif
