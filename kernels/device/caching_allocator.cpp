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

CachingAllocator::~CachingAllocator() { give_back_cached(); }

void* CachingAllocator::allocate(size_t bytes) {
  const std::lock_guard lock(mutex_);
  const size_t capacity = size_class(bytes);
  void* block = nullptr;
  if (auto list = cached_.find(capacity); list != cached_.end() && !list->second.empty()) {
    std::pop_heap(list->second.begin(), list->second.end(), std::greater());
    block = list->second.back();
    list->second.pop_back();
  } else {
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

void CachingAllocator::remember(void* block, size_t capacity) {
  try {
    live_[block] = capacity;
  } catch (const std::bad_alloc&) {
    give_back(block, capacity);
    throw;
  }
}

void CachingAllocator::fail_for_lack_of(size_t bytes) const {
  const size_t free = source_.free_bytes();
  throw OutOfMemory(fmt::format("out of memory on {}: {} requested, {} in use, {} free", device_name_, mebibytes(bytes),
                                mebibytes(memory_.used), mebibytes(free)),
                    memory_.used + free);
}

void CachingAllocator::release(void* block) noexcept {
  if (!block) return;
  const std::lock_guard lock(mutex_);
  const auto entry = live_.find(block);
  const size_t capacity = entry->second;
  live_.erase(entry);
  memory_.used -= capacity;
  try {
    std::vector<void*>& heap = cached_[capacity];
    heap.push_back(block);
    std::push_heap(heap.begin(), heap.end(), std::greater());
    source_.released(block, capacity);
  } catch (const std::bad_alloc&) {  // no host memory to record the block
    give_back(block, capacity);
  }
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
