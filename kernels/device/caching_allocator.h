// An allocator that keeps released blocks for reuse. Requests are rounded up to a size class (eight per power of two,
// so at most 12.5 % of a block is unused). Of the released blocks of a class, the one with the lowest address is reused
// first. Therefore a step that requests the same sizes in the same order as the step before gets the same addresses,
// whatever the order in which the earlier blocks were released.
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

// The functions that obtain memory from the system, and those that tell a checker (AddressSanitizer, the emulated
// device) which bytes are in use: it reports accesses to cached blocks and to bytes beyond the requested size.
struct MemorySource {
  void* (*acquire)(size_t bytes);  // returns null if there is no memory
  void (*give_back)(void* block) noexcept;
  size_t (*free_bytes)();
  void (*acquired)(void* block, size_t requested, size_t capacity) noexcept;
  void (*released)(void* block, size_t capacity) noexcept;
};

class CachingAllocator {
 public:
  // OutOfMemory names the device as `device_name`.
  CachingAllocator(MemorySource source, std::string device_name);
  ~CachingAllocator();
  CachingAllocator(const CachingAllocator&) = delete;
  CachingAllocator& operator=(const CachingAllocator&) = delete;

  // Throws OutOfMemory if the source has no memory even after all cached blocks were given back. Blocks kept for graphs
  // count as in use.
  void* allocate(size_t bytes);
  void release(void* block) noexcept;
  MemoryUse memory() const;
  void reset_peak();

  // Chooses whether allocate() takes blocks for graphs (graph.h). Such a block is kept for graphs when it is released.
  // A new one comes from the other released blocks if one fits.
  void allocate_for_graphs(bool on);
  // Makes the blocks of graphs ordinary ones, those in use included.
  void release_graph_memory();

 private:
  using Cache = std::map<size_t, std::vector<void*>>;  // released blocks by capacity; each list a min-heap
  struct Block {
    size_t capacity;
    bool for_graphs;
  };
  static void* take(Cache& cache, size_t capacity);
  static void put(Cache& cache, void* block, size_t capacity);  // throws std::bad_alloc

  void give_back(void* block, size_t capacity) noexcept;
  void give_back_cached();
  void remember(void* block, size_t capacity);
  [[noreturn]] void fail_for_lack_of(size_t bytes) const;

  MemorySource source_;
  std::string device_name_;
  mutable std::mutex mutex_;
  Cache cached_, cached_for_graphs_;
  bool for_graphs_ = false;
  std::unordered_map<void*, Block> live_;
  MemoryUse memory_;
};

}  // namespace melgrad
