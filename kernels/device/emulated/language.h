// The keywords and built-in variables that CUDA C++ adds to C++.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/device/emulated/observer.h"

#define __global__  // a kernel: called from the host, run by every thread of the grid
#define __device__  // called by kernels
#define __host__
#define __forceinline__ inline
#define __constant__ static
#define __launch_bounds__(...)  // limits the threads of a block for the register allocator

struct uint3 {
  unsigned x = 0, y = 0, z = 0;
};

struct dim3 {
  unsigned x, y, z;
  dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};

// A launch is a grid of blocks; a block is up to 1024 threads that share memory and can wait for each other. These
// variables identify the running thread. block.cpp sets them before it resumes a thread.
inline uint3 threadIdx, blockIdx;
inline dim3 blockDim, gridDim;

using std::max;
using std::min;

inline float __uint_as_float(unsigned bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

inline unsigned __float_as_uint(float value) {
  unsigned bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

// The sine and cosine of pi * value. The remainder is exact, so large values lose nothing.
inline void sincospi(double value, double* sine, double* cosine) {
  const double angle = 3.14159265358979323846 * std::remainder(value, 2.0);
  *sine = std::sin(angle);
  *cosine = std::cos(angle);
}

inline float rsqrtf(float value) { return 1.0f / std::sqrt(value); }

// Makes what the thread wrote visible to the threads of other blocks, before anything that it writes later.
inline void __threadfence() {
  if (emulated_cuda::observer) emulated_cuda::observer->fence();
}

// One thread runs at a time, and only a waiting thread is switched, so this code is atomic.
template <class T>
#if MELGRAD_METER
__attribute__((no_sanitize_thread, no_sanitize_coverage, noinline))
#endif
T atomicAdd(T* address, T value) {
  if (emulated_cuda::observer) emulated_cuda::observer->atomic(address, sizeof(T), __builtin_return_address(0));
  const T old = *address;
  *address = old + value;
  return old;
}
