// Owners of CUDA streams, events, graphs, pinned memory and library handles, which release them at the end of their
// scope.
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
// A handle is a pointer to a type that the library does not define publicly.
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

using OwnedGraph = Owned<cudaGraph_t, cudaGraphDestroy>;
using OwnedGraphExec = Owned<cudaGraphExec_t, cudaGraphExecDestroy>;

// Page-locked host memory: copies from and to it are asynchronous.
using PinnedMemory = Owned<char*, cudaFreeHost>;
inline PinnedMemory make_pinned_memory(size_t bytes) {
  void* memory = nullptr;
  const cudaError_t status = cudaMallocHost(&memory, bytes);
  if (status == cudaErrorMemoryAllocation) {
    cudaGetLastError();  // clears the error, so that the next call does not report it again
    fail("cudaMallocHost: the host cannot page-lock {} of memory; free some, or raise the limit (ulimit -l)",
         mebibytes(bytes));
  }
  cuda_check(status, "cudaMallocHost");
  return PinnedMemory(static_cast<char*>(memory));
}

}  // namespace melgrad
