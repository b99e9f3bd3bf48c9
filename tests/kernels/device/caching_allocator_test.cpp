#include "kernels/device/caching_allocator.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>

namespace melgrad::test {
namespace {

// A memory source with a limited number of free bytes.
size_t left = 0;
std::map<void*, size_t> lent;
const MemorySource small_system{
    .acquire = [](size_t bytes) -> void* {
      if (bytes > left) return nullptr;
      void* const block = std::malloc(bytes);
      left -= bytes;
      lent[block] = bytes;
      return block;
    },
    .give_back =
        [](void* block) noexcept {
          left += lent[block];
          lent.erase(block);
          std::free(block);
        },
    .free_bytes = [] { return left; },
    .acquired = [](void*, size_t, size_t) noexcept {},
    .released = [](void*, size_t) noexcept {},
};

TEST(CachingAllocator, OutOfMemoryNamesTheBytesRequestedUsedAndFree) {
  left = 3 << 19;
  CachingAllocator allocator(small_system, "gpu 3");
  void* const block = allocator.allocate(1 << 19);
  allocator.release(allocator.allocate(1 << 18));  // cached, so it counts as free
  try {
    allocator.allocate(2 << 20);
    ADD_FAILURE() << "no exception";
  } catch (const OutOfMemory& error) {
    EXPECT_STREQ(error.what(), "out of memory on gpu 3: 2.0 MiB requested, 0.5 MiB in use, 1.0 MiB free");
    EXPECT_EQ(error.capacity, size_t{3} << 19);
  }
  EXPECT_EQ(allocator.memory().used, size_t{1} << 19);
  allocator.release(block);
}

TEST(CachingAllocator, CachedBlocksAreFreedBeforeARequestFails) {
  left = 1 << 20;
  CachingAllocator allocator(small_system, "cpu");
  allocator.release(allocator.allocate(1 << 19));
  EXPECT_EQ(allocator.memory().held, size_t{1} << 19);
  void* const block = allocator.allocate(1 << 20);
  EXPECT_EQ(allocator.memory().held, size_t{1} << 20);
  allocator.release(block);
}

}  // namespace
}  // namespace melgrad::test
