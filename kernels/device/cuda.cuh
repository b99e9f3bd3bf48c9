// What every .cu is written with. The same source is compiled twice: by nvcc for a GPU, and by the host's compiler
// against kernels/device/emulated, which runs it on the CPU and checks it. Hence three rules:
//   - kernels start by launch(kernel, grid, block, shared_bytes, stream, arguments...), not by <<<>>>;
//   - shared memory is declared by SHARED(float, name, [32]) and DYNAMIC_SHARED(float, name), not by __shared__;
//   - all threads of a block reach every __syncthreads(), and all lanes of a mask every warp operation.
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

#include "kernels/device/bfloat16.h"
#include "kernels/device/device_error.h"
#include "kernels/device/dtype.h"
#include "kernels/device/error.h"
#include "kernels/device/stream.h"

namespace melgrad {

// Of the CUDA stream (stream.cu).
cudaStream_t native_stream(Stream&);
int64_t l2_cache_bytes(Stream&);
const char* current_range(Stream&);  // the innermost open ProfilerRange: the operation that is running

// Throws OutOfMemory with `what` and the figures of the GPU's memory.
[[noreturn]] void throw_out_of_memory(std::string_view what);

inline void cuda_check(cudaError_t status, const char* what) {
  if (status == cudaErrorMemoryAllocation) throw_out_of_memory(what);
  if (status != cudaSuccess) throw DeviceError(fmt::format("{}: {}", what, cudaGetErrorString(status)));
}

// Queues function(arguments...) on the stream and returns. A launch the device refuses is an Error that names the
// operation; a fault inside the kernel surfaces at the next Stream::synchronize.
template <class... P>
void launch(void (*function)(P...), dim3 grid, dim3 block, size_t shared_bytes, Stream& stream,
            std::type_identity_t<P>... arguments) {
#if MELGRAD_EMULATED
  emulated_cuda::launch(current_range(stream), function, grid, block, shared_bytes, arguments...);
#else
  constexpr size_t granted_without_asking = 48 << 10;
  if (shared_bytes > granted_without_asking) {
    cuda_check(cudaFuncSetAttribute(reinterpret_cast<const void*>(function),
                                    cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(shared_bytes)),
               current_range(stream));
  }
  // The function behind <<<>>>, which clang-format cannot write.
  const cudaLaunchConfig_t shape{
      .gridDim = grid, .blockDim = block, .dynamicSmemBytes = shared_bytes, .stream = native_stream(stream)};
  if (const cudaError_t status = cudaLaunchKernelEx(&shape, function, arguments...); status != cudaSuccess) {
    cudaGetLastError();  // reported here, so not again by the next call
    throw DeviceError(fmt::format("{}: {} [grid {}x{}x{}, block {}x{}x{}, {} bytes of shared memory]",
                                  current_range(stream), cudaGetErrorString(status), grid.x, grid.y, grid.z, block.x,
                                  block.y, block.z, shared_bytes));
  }
#endif
}

constexpr int warp_size = 32;
constexpr unsigned full_warp = 0xffffffff;

template <class T>
constexpr T ceil_divide(T value, T divisor) {
  return (value + divisor - 1) / divisor;
}

// ---- Vectors: a thread moves 16 bytes at a time, the widest access there is. ----

template <class T, int width>
struct alignas(sizeof(T) * width) Vector {
  T values[width];

  __device__ T& operator[](int i) { return values[i]; }
  __device__ const T& operator[](int i) const { return values[i]; }
};

// `from` is aligned to the vector's size.
template <int width, class T>
__device__ Vector<T, width> load(const T* from) {
  return *reinterpret_cast<const Vector<T, width>*>(from);
}

template <class T, int width>
__device__ void store(T* to, const Vector<T, width>& vector) {
  *reinterpret_cast<Vector<T, width>*>(to) = vector;
}

// Calls body.operator()<T>() with the element type of `dtype`.
template <class Body>
void dispatch_type(DType dtype, Body body) {
  switch (dtype) {
    case DType::float32:
      return body.template operator()<float>();
    case DType::bfloat16:
      return body.template operator()<bfloat16>();
    default:
      fail("no kernel for elements of type {}", name_of(dtype));
  }
}

constexpr int64_t any_extent = 0;

// Calls body.operator()<T, width>() with the element type of `dtype` and the number of elements in an access: 16 bytes
// where the pointers are aligned to 16 and the innermost extent is a whole number of accesses, else one element.
// Kernels that see to a last access that is not whole pass any_extent.
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

// ---- Reductions. Their order is fixed, so the result is the same to the bit every time. ----

// The value of the lane whose number differs from the caller's in the bits of `lane_mask`, for any struct of words.
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

__device__ inline float warp_sum(float value) {
  for (int distance = warp_size / 2; distance > 0; distance /= 2) value += shuffle_xor(value, distance);
  return value;
}

// The sum over a one-dimensional block of `threads` threads, returned to all of them.
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
  __syncthreads();  // a second block_sum may overwrite `partial` only when all have read it
  return sum;
}

}  // namespace melgrad
