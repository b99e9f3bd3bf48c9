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

TEST(CachingAllocator, BlocksOfGraphsAreReusedByGraphsOnly) {
  left = 1 << 20;
  CachingAllocator allocator(small_system, "gpu 3");
  void* const ordinary = allocator.allocate(1 << 19);
  allocator.release(ordinary);
  allocator.allocate_for_graphs(true);
  void* const of_a_graph = allocator.allocate(1 << 19);
  EXPECT_EQ(of_a_graph, ordinary) << "a released block becomes one for graphs";
  allocator.allocate_for_graphs(false);
  allocator.release(of_a_graph);
  void* const other = allocator.allocate(1 << 19);
  EXPECT_NE(other, of_a_graph);
  EXPECT_EQ(allocator.memory().held, size_t{1} << 20);
  allocator.release(other);

  allocator.allocate_for_graphs(true);
  void* const again = allocator.allocate(1 << 19);
  EXPECT_EQ(again, of_a_graph);
  allocator.allocate_for_graphs(false);
  allocator.release_graph_memory();
  allocator.release(again);
  void* const all = allocator.allocate(1 << 20);  // both blocks are given back for it
  EXPECT_EQ(allocator.memory().held, size_t{1} << 20);
  allocator.release(all);
}

TEST(CachingAllocator, BlocksOfGraphsCountAsInUse) {
  left = 1 << 20;
  CachingAllocator allocator(small_system, "gpu 3");
  allocator.allocate_for_graphs(true);
  allocator.release(allocator.allocate(1 << 19));
  allocator.allocate_for_graphs(false);
  try {
    allocator.allocate(1 << 20);
    ADD_FAILURE() << "no exception";
  } catch (const OutOfMemory& error) {
    EXPECT_STREQ(error.what(), "out of memory on gpu 3: 1.0 MiB requested, 0.5 MiB in use, 0.5 MiB free");
    EXPECT_EQ(error.capacity, size_t{1} << 20);
  }
}

}  // namespace
}  // namespace melgrad::test
