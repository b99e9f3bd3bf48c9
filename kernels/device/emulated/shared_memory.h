// Shared memory: a few kilobytes that the threads of a block share for the time of the block. Each declaration is a
// heap block of its exact size, allocated for every block and filled with NaN. Therefore AddressSanitizer reports
// overruns, which it does not in static or thread_local arrays, and a value that is read before it is written makes the
// result NaN.
#pragma once

#include <cstddef>

#define SHARED(T, name, ...)          \
  static const char name##_address{}; \
  auto& name =                        \
      *static_cast<T(*) __VA_ARGS__>(emulated_cuda::shared_memory(&name##_address, sizeof(T __VA_ARGS__), #name))

// The bytes that the launch requested.
#define DYNAMIC_SHARED(T, name) T* const name = static_cast<T*>(emulated_cuda::dynamic_shared_memory())

namespace emulated_cuda {

// The memory of one declaration in the running block, allocated at the first use. `declaration` identifies it.
void* shared_memory(const void* declaration, size_t bytes, const char* name);
void* dynamic_shared_memory();

// The lifetime of the shared memory of a block.
class SharedMemoryScope {
 public:
  explicit SharedMemoryScope(size_t dynamic_bytes);
  ~SharedMemoryScope();
  SharedMemoryScope(const SharedMemoryScope&) = delete;
  SharedMemoryScope& operator=(const SharedMemoryScope&) = delete;
};

}  // namespace emulated_cuda
