// Store buffers: hides what a block wrote to device memory from later blocks until the kernel ends, unless a
// __threadfence made it visible. A GPU may delay plain stores as long, so a kernel whose blocks exchange data without a
// fence then reads old values. Atomics are visible at once.
//
// A fence makes visible what its thread wrote before, and what the whole block wrote before its last barrier.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <vector>

namespace emulated_cuda {

class StoreBuffer {
 public:
  void begin_block() {
    of_block_.clear();
    before_barrier_ = 0;
  }
  void synchronize_block() { before_barrier_ = of_block_.size(); }
  // Call it before the store takes place.
  void store(void* address, uint32_t bytes, uint32_t thread) {
    Store& entry = of_block_.emplace_back(Store{static_cast<char*>(address), bytes, thread, {}});
    std::memcpy(entry.value, address, bytes);
  }
  void fence(uint32_t thread) {
    for (size_t i = 0; i < of_block_.size(); ++i) {
      if (i < before_barrier_ || of_block_[i].thread == thread) of_block_[i].bytes = 0;
    }
  }
  // Puts the values before the block's stores back into memory.
  void end_block() {
    for (auto entry = of_block_.rbegin(); entry != of_block_.rend(); ++entry) {
      char after[sizeof entry->value];
      std::memcpy(after, entry->address, entry->bytes);
      std::memcpy(entry->address, entry->value, entry->bytes);
      std::memcpy(entry->value, after, entry->bytes);
    }
    std::ranges::copy_if(of_block_, std::back_inserter(delayed_), [](const Store& store) { return store.bytes > 0; });
    of_block_.clear();
  }
  // Copies to `value` the bytes at the address as they will be at the end of the kernel.
  void read_latest(const char* address, uint32_t bytes, char* value) const {
    std::memcpy(value, address, bytes);
    for (const Store& store : delayed_) {
      for (uint32_t i = 0; i < bytes; ++i) {
        const auto at = static_cast<uint64_t>(address + i - store.address);
        if (at < store.bytes) value[i] = store.value[at];
      }
    }
  }
  // Makes all stores visible.
  void end_grid() {
    for (const Store& store : delayed_) std::memcpy(store.address, store.value, store.bytes);
    delayed_.clear();
  }

 private:
  struct Store {
    char* address;
    uint32_t bytes;  // 0: visible
    uint32_t thread;
    char value[16];  // before the store; in delayed_ after it
  };
  std::vector<Store> of_block_, delayed_;
  size_t before_barrier_ = 0;
};

}  // namespace emulated_cuda
