// Shared memory: a few kilobytes that the threads of one block have in common, undefined when the block starts and gone
// when it ends. Each declaration is a heap block of exactly its size, fresh for every block and full of NaN, so that
// AddressSanitizer sees an overrun (it sees none in static or thread_local arrays) and a value read before it was
// written shows in the result.
#pragma once

#include <cstddef>

#define SHARED(T, name, ...)          \
  static const char name##_address{}; \
  auto& name =                        \
      *static_cast<T(*) __VA_ARGS__>(emulated_cuda::shared_memory(&name##_address, sizeof(T __VA_ARGS__), #name))

// As many bytes as the launch asked for.
#define DYNAMIC_SHARED(T, name) T* const name = static_cast<T*>(emulated_cuda::dynamic_shared_memory())

namespace emulated_cuda {

// The running block's memory of the declaration that `declaration` identifies; made at its first use.
void* shared_memory(const void* declaration, size_t bytes, const char* name);
void* dynamic_shared_memory();

// The extent of one block's shared memory.
class SharedMemoryScope {
 public:
  explicit SharedMemoryScope(size_t dynamic_bytes);
  ~SharedMemoryScope();
  SharedMemoryScope(const SharedMemoryScope&) = delete;
  SharedMemoryScope& operator=(const SharedMemoryScope&) = delete;
};

}  // namespace emulated_cuda
