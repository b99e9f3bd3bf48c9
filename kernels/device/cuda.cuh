// Launches, vectors, dispatch by dtype and reductions for all .cu files. The same source is compiled by nvcc for a GPU,
// and by the host compiler for the emulated device (kernels/device/emulated), which runs it on the CPU and checks it.
// Rules:
//   - start kernels by launch(kernel, grid, block, shared_bytes, stream, arguments...), not by <<<>>>;
//   - declare shared memory by SHARED(float, name, [32]) and DYNAMIC_SHARED(float, name), not by __shared__;
//   - all threads of a block reach every __syncthreads(), and all lanes of a mask reach every warp operation.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <type_traits>

#if MELGRAD_EMULATED
#include "kernels/device/emulated/cuda_runtime.h"
#else
#include <cuda_runtime.h>
#define SHARED(T, name, ...) __shared__ T name __VA_ARGS__
#define DYNAMIC_SHARED(T, name)                                          \
  extern __shared__ __align__(16) unsigned char dynamic_shared_memory[]; \
  T* const name = reinterpret_cast<T*>(dynamic_shared_memory)
#endif

#include "kernels/device/ceil_divide.h"
#include "kernels/device/dtype.h"
#include "kernels/device/error.h"
#include "kernels/device/low_precision.h"
#include "kernels/device/stream.h"

namespace melgrad {

// Properties of the CUDA stream (stream.cu).
cudaStream_t native_stream(Stream&);
const cudaDeviceProp& properties(Stream&);
// `count` counters in device memory that are 0 between kernels: a kernel that changes them sets them back.
unsigned* arrival_counters(Stream&, unsigned count);
const char* current_range(Stream&);  // name of the innermost open ProfilerRange: the running op

// Throws OutOfMemory. The message contains `what`, the GPU, and its bytes in use, held and free.
[[noreturn]] void throw_out_of_memory(std::string_view what);

inline void cuda_check(cudaError_t status, const char* what) {
  if (status == cudaErrorMemoryAllocation) throw_out_of_memory(what);
  if (status != cudaSuccess) throw DeviceError(fmt::format("{}: {}", what, cudaGetErrorString(status)));
}

// Queues the CUDA kernel function(arguments...) on the stream and returns. Throws DeviceError, which names the op, if
// the device refuses the launch. A fault inside the kernel is reported by the next Stream::synchronize.
template <class... P>
void launch(void (*function)(P...), dim3 grid, dim3 block, size_t shared_bytes, Stream& stream,
            std::type_identity_t<P>... arguments) {
#if MELGRAD_EMULATED
  emulated_cuda::launch(current_range(stream), function, grid, block, shared_bytes, native_stream(stream),
                        arguments...);
#else
  constexpr size_t granted_without_asking = 48 << 10;
  if (shared_bytes > granted_without_asking) {
    cuda_check(cudaFuncSetAttribute(reinterpret_cast<const void*>(function),
                                    cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(shared_bytes)),
               current_range(stream));
  }
  // The same as <<<>>>, which clang-format cannot parse.
  const cudaLaunchConfig_t shape{
      .gridDim = grid, .blockDim = block, .dynamicSmemBytes = shared_bytes, .stream = native_stream(stream)};
  if (const cudaError_t status = cudaLaunchKernelEx(&shape, function, arguments...); status != cudaSuccess) {
    cudaGetLastError();  // clears the error, so that the next call does not report it again
    throw DeviceError(fmt::format("{}: {} [grid {}x{}x{}, block {}x{}x{}, {} bytes of shared memory]",
                                  current_range(stream), cudaGetErrorString(status), grid.x, grid.y, grid.z, block.x,
                                  block.y, block.z, shared_bytes));
  }
#endif
}

constexpr int warp_size = 32;
constexpr unsigned full_warp = 0xffffffff;

// ---- Vectors: a thread moves 16 bytes per access, the largest size that all supported GPUs have. ----

template <class T, int width>
struct alignas(sizeof(T) * width) Vector {
  T values[width];

  __device__ T& operator[](int i) { return values[i]; }
  __device__ const T& operator[](int i) const { return values[i]; }
};

// `from` must be aligned to the size of the vector.
template <int width, class T>
__device__ Vector<T, width> load(const T* from) {
  return *reinterpret_cast<const Vector<T, width>*>(from);
}

template <class T, int width>
__device__ void store(T* to, const Vector<T, width>& vector) {
  *reinterpret_cast<Vector<T, width>*>(to) = vector;
}

constexpr int64_t any_extent = 0;

// Calls body.operator()<T, width>() with the element type of `dtype` and the elements per access: 16 bytes if all
// pointers are aligned to 16 bytes and the innermost extent is a multiple of an access, otherwise one element. Kernels
// that handle an incomplete last access pass any_extent.
template <class Body>
void dispatch(DType dtype, int64_t innermost, std::initializer_list<const void*> pointers, Body body) {
  constexpr uintptr_t access = 16;
  dispatch_type(dtype, [&]<class T>() {
    constexpr int width = access / sizeof(T);
    bool wide = innermost % width == 0;
    for (const void* pointer : pointers) wide = wide && reinterpret_cast<uintptr_t>(pointer) % access == 0;
    if (wide) {
      body.template operator()<T, width>();
    } else {
      body.template operator()<T, 1>();
    }
  });
}

// ---- Reductions. Their order is fixed, so results are bit-identical in every run. ----

// The `value` of lane (own lane XOR lane_mask). T is any struct of 4-byte words. All lanes of the warp must call it.
template <class T>
__device__ T shuffle_xor(T value, int lane_mask) {
  constexpr int words = sizeof(T) / sizeof(uint32_t);
  static_assert(sizeof(T) % sizeof(uint32_t) == 0 && std::is_trivially_copyable_v<T>);
  uint32_t bits[words];
  memcpy(bits, &value, sizeof(T));
  for (int i = 0; i < words; ++i) bits[i] = __shfl_xor_sync(full_warp, bits[i], lane_mask);
  memcpy(&value, bits, sizeof(T));
  return value;
}

// The largest value in a warp, returned to all lanes. NaN is ignored unless all are NaN.
__device__ inline float warp_max(float value) {
  for (int distance = warp_size / 2; distance > 0; distance /= 2) value = fmaxf(value, shuffle_xor(value, distance));
  return value;
}

__device__ inline float warp_sum(float value) {
  for (int distance = warp_size / 2; distance > 0; distance /= 2) value += shuffle_xor(value, distance);
  return value;
}

// The sum over a one-dimensional block of `threads` threads, returned to all threads.
template <int threads>
__device__ float block_sum(float value) {
  static_assert(threads % warp_size == 0 && threads <= warp_size * warp_size);
  constexpr int warps = threads / warp_size;
  SHARED(float, partial, [warps]);
  const int warp = static_cast<int>(threadIdx.x) / warp_size, lane = static_cast<int>(threadIdx.x) % warp_size;
  value = warp_sum(value);
  if (lane == 0) partial[warp] = value;
  __syncthreads();
  const float sum = warp_sum(lane < warps ? partial[lane] : 0.0f);
  __syncthreads();  // the next block_sum must not overwrite `partial` before all threads have read it
  return sum;
}

// The sum of n values, added up by one block and returned to all threads.
template <int threads>
__device__ float block_sum(const float* values, int64_t n) {
  float sum = 0;
  for (int64_t i = threadIdx.x; i < n; i += threads) sum += values[i];
  return block_sum<threads>(sum);
}

}  // namespace melgrad
