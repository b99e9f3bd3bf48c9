#include "kernels/device/emulated/runtime.h"

#include <atomic>
#include <cstdlib>
#include <cstring>

#include "kernels/device/emulated/device_memory.h"

struct EmulatedStream {};

namespace {

using emulated_cuda::DeviceMemoryScope;
using emulated_cuda::Ownership;

cudaError_t last_error = cudaSuccess;
std::atomic<bool> device_is_broken = false;

cudaError_t record(cudaError_t status) {
  if (status != cudaSuccess) last_error = status;
  return status;
}

bool released(const void* pointer) { return emulated_cuda::ownership(pointer) == Ownership::hidden; }

}  // namespace

const char* cudaGetErrorString(cudaError_t status) {
  switch (status) {
    case cudaSuccess:
      return "no error";
    case cudaErrorInvalidValue:
      return "invalid argument";
    case cudaErrorMemoryAllocation:
      return "out of memory";
    case cudaErrorInsufficientDriver:
      return "CUDA driver version is insufficient for CUDA runtime version";
    case cudaErrorInvalidDevice:
      return "invalid device ordinal";
    case cudaErrorLaunchFailure:
      return "unspecified launch failure";
  }
  return "unrecognized error code";
}

cudaError_t cudaGetLastError() {
  const cudaError_t status = last_error;
  last_error = cudaSuccess;
  return status;
}

cudaError_t cudaPeekAtLastError() { return last_error; }

cudaError_t cudaGetDeviceCount(int* count) {
  *count = 1;
  return cudaSuccess;
}

cudaError_t cudaSetDevice(int index) { return record(index == 0 ? cudaSuccess : cudaErrorInvalidDevice); }

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int index) {
  if (index != 0) return record(cudaErrorInvalidDevice);
  *properties = {.name = "emulated",
                 .major = 8,
                 .minor = 0,
                 .totalGlobalMem = emulated_cuda::device_memory_limit(),
                 .l2CacheSize = 48 << 20};
  return cudaSuccess;
}

cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  *total = emulated_cuda::device_memory_limit();
  *free = *total - emulated_cuda::device_memory_used();
  return cudaSuccess;
}

cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* attributes, const void* pointer) {
  const bool host = emulated_cuda::ownership(pointer) == Ownership::host;
  attributes->type = host ? cudaMemoryTypeUnregistered : cudaMemoryTypeDevice;
  return cudaSuccess;
}

cudaError_t cudaMalloc(void** block, size_t bytes) {
  *block = emulated_cuda::allocate_device_memory(bytes);
  return record(*block ? cudaSuccess : cudaErrorMemoryAllocation);
}

cudaError_t cudaFree(void* block) {
  return record(!block || emulated_cuda::free_device_memory(block) ? cudaSuccess : cudaErrorInvalidValue);
}

cudaError_t cudaMallocHost(void** block, size_t bytes) {
  *block = std::malloc(bytes);
  return record(*block ? cudaSuccess : cudaErrorMemoryAllocation);
}

cudaError_t cudaFreeHost(void* block) {
  std::free(block);
  return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind, cudaStream_t) {
  if (device_is_broken) return record(cudaErrorLaunchFailure);
  if (released(to) || released(from)) return record(cudaErrorInvalidValue);
  const DeviceMemoryScope accessible;
  if (bytes > 0) std::memcpy(to, from, bytes);
  return cudaSuccess;
}

cudaError_t cudaMemsetAsync(void* to, int byte, size_t bytes, cudaStream_t) {
  if (emulated_cuda::ownership(to) != Ownership::device) return record(cudaErrorInvalidValue);
  const DeviceMemoryScope accessible;
  std::memset(to, byte, bytes);
  return cudaSuccess;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  *stream = new EmulatedStream;
  return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  delete stream;
  return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t) {
  return record(device_is_broken ? cudaErrorLaunchFailure : cudaSuccess);
}

// Work is already done when an event is recorded.
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  *event = nullptr;
  return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t) { return cudaSuccess; }
cudaError_t cudaEventRecord(cudaEvent_t, cudaStream_t) { return cudaSuccess; }
cudaError_t cudaEventSynchronize(cudaEvent_t) { return cudaSuccess; }

void emulated_cuda::set_device_broken(bool broken) { device_is_broken = broken; }
