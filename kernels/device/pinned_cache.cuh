// Page-locked host memory that is used again, because locking pages takes longer than copying them.
#pragma once

#include <algorithm>
#include <mutex>
#include <utility>
#include <vector>

#include "kernels/device/cuda_owners.cuh"

namespace melgrad {

class PinnedCache {
 public:
  struct Block {
    PinnedMemory memory;
    size_t bytes = 0;
  };

  // At least `bytes`. Throws Error if the host cannot page-lock them.
  Block take(size_t bytes) {
    {
      const std::lock_guard lock(mutex_);
      const auto found = std::find_if(spare_.begin(), spare_.end(), [&](const Block& b) { return b.bytes >= bytes; });
      if (found != spare_.end()) {
        Block block = std::move(*found);
        spare_.erase(found);
        return block;
      }
    }
    return {make_pinned_memory(bytes), bytes};
  }

  // From any thread. Keeps the block, so that no thread but the training's calls CUDA.
  void give_back(Block block) {
    const std::lock_guard lock(mutex_);
    spare_.push_back(std::move(block));
  }

 private:
  std::mutex mutex_;
  std::vector<Block> spare_;
};

}  // namespace melgrad
