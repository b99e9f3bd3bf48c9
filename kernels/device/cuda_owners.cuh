// Owners of what CUDA's runtime and libraries hand out: given back where they go out of scope, also by an exception.
#pragma once

#include <memory>
#include <type_traits>

#include "kernels/device/cuda.cuh"

namespace melgrad {

template <auto give_back>
struct By {
  template <class T>
  void operator()(T* owned) const {
    give_back(owned);
  }
};
// Handles are pointers to what only the library knows.
template <class Handle, auto give_back>
using Owned = std::unique_ptr<std::remove_pointer_t<Handle>, By<give_back>>;

using OwnedStream = Owned<cudaStream_t, cudaStreamDestroy>;
inline OwnedStream make_stream(unsigned flags) {
  cudaStream_t stream = nullptr;
  cuda_check(cudaStreamCreateWithFlags(&stream, flags), "cudaStreamCreate");
  return OwnedStream(stream);
}

using OwnedEvent = Owned<cudaEvent_t, cudaEventDestroy>;
inline OwnedEvent make_event(unsigned flags) {
  cudaEvent_t event = nullptr;
  cuda_check(cudaEventCreateWithFlags(&event, flags), "cudaEventCreate");
  return OwnedEvent(event);
}

// Host memory that the device copies from and to while the host goes on.
using PinnedMemory = Owned<char*, cudaFreeHost>;
inline PinnedMemory make_pinned_memory(size_t bytes) {
  void* memory = nullptr;
  const cudaError_t status = cudaMallocHost(&memory, bytes);
  if (status == cudaErrorMemoryAllocation) {
    cudaGetLastError();  // reported here, so not again by the next call
    fail("cudaMallocHost: the host has no {} of memory that it can lock; free some, or raise its limit",
         mebibytes(bytes));
  }
  cuda_check(status, "cudaMallocHost");
  return PinnedMemory(static_cast<char*>(memory));
}

}  // namespace melgrad
