// Owners of what the CUDA runtime hands out: given back where they go out of scope, also by an exception.
#pragma once

#include <memory>
#include <type_traits>

#include "kernels/cuda.cuh"

namespace melgrad {

struct DestroyStream {
  void operator()(cudaStream_t stream) const { cudaStreamDestroy(stream); }
};
using OwnedStream = std::unique_ptr<std::remove_pointer_t<cudaStream_t>, DestroyStream>;

inline OwnedStream make_stream(unsigned flags) {
  cudaStream_t stream = nullptr;
  cuda_check(cudaStreamCreateWithFlags(&stream, flags), "cudaStreamCreate");
  return OwnedStream(stream);
}

struct DestroyEvent {
  void operator()(cudaEvent_t event) const { cudaEventDestroy(event); }
};
using OwnedEvent = std::unique_ptr<std::remove_pointer_t<cudaEvent_t>, DestroyEvent>;

inline OwnedEvent make_event(unsigned flags) {
  cudaEvent_t event = nullptr;
  cuda_check(cudaEventCreateWithFlags(&event, flags), "cudaEventCreate");
  return OwnedEvent(event);
}

// Host memory that the device copies from and to while the host goes on.
struct FreePinned {
  void operator()(char* memory) const { cudaFreeHost(memory); }
};
using PinnedMemory = std::unique_ptr<char, FreePinned>;

inline PinnedMemory make_pinned_memory(size_t bytes) {
  void* memory = nullptr;
  cuda_check(cudaMallocHost(&memory, bytes), "cudaMallocHost");
  return PinnedMemory(static_cast<char*>(memory));
}

}  // namespace melgrad
