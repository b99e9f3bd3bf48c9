#include "kernels/device/caching_allocator.h"

#include <algorithm>
#include <bit>
#include <new>

#include "kernels/device/error.h"

namespace melgrad {
namespace {

constexpr size_t smallest = 64;

size_t size_class(size_t bytes) {
  bytes = std::max(bytes, smallest);
  const size_t step = std::max(smallest, std::bit_floor(bytes) / 8);
  return (bytes + step - 1) / step * step;
}

}  // namespace

CachingAllocator::CachingAllocator(MemorySource source, std::string device_name)
    : source_(source), device_name_(std::move(device_name)) {}

CachingAllocator::~CachingAllocator() {
  release_graph_memory();
  give_back_cached();
}

void* CachingAllocator::allocate(size_t bytes) {
  const std::lock_guard lock(mutex_);
  const size_t capacity = size_class(bytes);
  void* block = for_graphs_ ? take(cached_for_graphs_, capacity) : nullptr;
  if (!block) block = take(cached_, capacity);
  if (!block) {
    block = source_.acquire(capacity);
    if (!block) {
      give_back_cached();
      block = source_.acquire(capacity);
    }
    if (!block) fail_for_lack_of(bytes);
    memory_.held += capacity;
  }
  source_.acquired(block, bytes, capacity);
  remember(block, capacity);
  memory_.used += capacity;
  memory_.peak = std::max(memory_.peak, memory_.used);
  return block;
}

void* CachingAllocator::take(Cache& cache, size_t capacity) {
  const auto list = cache.find(capacity);
  if (list == cache.end() || list->second.empty()) return nullptr;
  std::vector<void*>& heap = list->second;
  std::pop_heap(heap.begin(), heap.end(), std::greater());
  void* const block = heap.back();
  heap.pop_back();
  return block;
}

void CachingAllocator::put(Cache& cache, void* block, size_t capacity) {
  std::vector<void*>& heap = cache[capacity];
  heap.push_back(block);
  std::push_heap(heap.begin(), heap.end(), std::greater());
}

void CachingAllocator::remember(void* block, size_t capacity) {
  try {
    live_[block] = {capacity, for_graphs_};
  } catch (const std::bad_alloc&) {
    give_back(block, capacity);
    throw;
  }
}

void CachingAllocator::fail_for_lack_of(size_t bytes) const {
  const size_t free = source_.free_bytes();
  throw OutOfMemory(fmt::format("out of memory on {}: {} requested, {} in use, {} free", device_name_, mebibytes(bytes),
                                mebibytes(memory_.held), mebibytes(free)),
                    memory_.held + free);
}

void CachingAllocator::release(void* block) noexcept {
  if (!block) return;
  const std::lock_guard lock(mutex_);
  const auto entry = live_.find(block);
  const auto [capacity, for_graphs] = entry->second;
  live_.erase(entry);
  memory_.used -= capacity;
  try {
    put(for_graphs ? cached_for_graphs_ : cached_, block, capacity);
    source_.released(block, capacity);
  } catch (const std::bad_alloc&) {  // no host memory to record the block
    give_back(block, capacity);
  }
}

void CachingAllocator::allocate_for_graphs(bool on) {
  const std::lock_guard lock(mutex_);
  for_graphs_ = on;
}

void CachingAllocator::release_graph_memory() {
  const std::lock_guard lock(mutex_);
  for (const auto& [capacity, blocks] : cached_for_graphs_) {
    for (void* block : blocks) put(cached_, block, capacity);
  }
  cached_for_graphs_.clear();
  for (auto& [address, block] : live_) block.for_graphs = false;
}

MemoryUse CachingAllocator::memory() const {
  const std::lock_guard lock(mutex_);
  return memory_;
}

void CachingAllocator::reset_peak() {
  const std::lock_guard lock(mutex_);
  memory_.peak = memory_.used;
}

void CachingAllocator::give_back(void* block, size_t capacity) noexcept {
  source_.acquired(block, capacity, capacity);
  source_.give_back(block);
  memory_.held -= capacity;
}

void CachingAllocator::give_back_cached() {
  for (auto& [capacity, blocks] : cached_) {
    for (void* block : blocks) give_back(block, capacity);
  }
  cached_.clear();
}

}  // namespace melgrad
