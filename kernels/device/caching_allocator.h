// Device memory that is asked of the system once and reused ever after. Requests are rounded up to a size class (eight
// per power of two, so at most 12.5 % is slack), and of a class's released blocks the lowest address is reused first: a
// step that asks for the same sizes in the same order as the step before gets the same addresses, in whatever order
// that one released them.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "kernels/device/memory.h"

namespace melgrad {

// Where blocks come from and who watches them. `acquired` and `released` let a checker (AddressSanitizer, the emulated
// device) treat slack and cached blocks as out of bounds.
struct MemorySource {
  void* (*acquire)(size_t bytes);  // null when exhausted
  void (*give_back)(void* block) noexcept;
  size_t (*free_bytes)();  // what the system says it has left
  void (*acquired)(void* block, size_t requested, size_t capacity) noexcept;
  void (*released)(void* block, size_t capacity) noexcept;
};

class CachingAllocator {
 public:
  // `device_name` appears in the out-of-memory message.
  CachingAllocator(MemorySource source, std::string device_name);
  ~CachingAllocator();
  CachingAllocator(const CachingAllocator&) = delete;
  CachingAllocator& operator=(const CachingAllocator&) = delete;

  // Throws OutOfMemory when the source is exhausted even after all cached blocks were given back to it.
  void* allocate(size_t bytes);
  void release(void* block) noexcept;
  MemoryUse memory() const;
  void reset_peak();

 private:
  void give_back(void* block, size_t capacity) noexcept;
  void give_back_cached();
  void remember(void* block, size_t capacity);
  [[noreturn]] void fail_for_lack_of(size_t bytes) const;

  MemorySource source_;
  std::string device_name_;
  mutable std::mutex mutex_;
  std::map<size_t, std::vector<void*>> cached_;  // by capacity; min-heaps
  std::unordered_map<void*, size_t> live_;       // capacities
  MemoryUse memory_;
};

}  // namespace melgrad
