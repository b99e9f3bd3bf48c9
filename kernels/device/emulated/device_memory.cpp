#include "kernels/device/emulated/device_memory.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <map>
#include <mutex>

#include "kernels/device/emulated/dry_run.h"
#include "kernels/device/emulated/stream_queue.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace emulated_cuda {
namespace {

constexpr size_t alignment = 256;  // that of cudaMalloc
constexpr size_t margin = 256;     // bytes, poisoned, before and after every block

void poison([[maybe_unused]] const void* begin, [[maybe_unused]] size_t bytes) {
#if defined(__SANITIZE_ADDRESS__)
  __asan_poison_memory_region(begin, bytes);
#endif
}

void unpoison([[maybe_unused]] const void* begin, [[maybe_unused]] size_t bytes) {
#if defined(__SANITIZE_ADDRESS__)
  __asan_unpoison_memory_region(begin, bytes);
#endif
}

struct DeviceBlock {
  size_t bytes;
  size_t usable;      // by work that is submitted from now on
  size_t accessible;  // by the work that runs now
  bool lent = true;
  bool permanent = false;
};

size_t with_margins(size_t bytes) { return (bytes + alignment - 1) / alignment * alignment + 2 * margin; }

struct DeviceMemory {
  std::mutex mutex;
  std::map<char*, DeviceBlock> blocks;
  size_t used = 0;
  size_t limit = std::numeric_limits<size_t>::max();
  int scopes = 0;

  std::map<char*, DeviceBlock>::iterator find(const void* block) {
    return blocks.find(static_cast<char*>(const_cast<void*>(block)));
  }
};

// Never destroyed, because tensors in static storage release their blocks at exit.
DeviceMemory& memory() {
  static auto& value = *new DeviceMemory;
  return value;
}

void fill_with_nan(void* begin, size_t bytes) {
  unpoison(begin, bytes);
  std::memset(begin, 0xff, bytes);
  poison(begin, bytes);
}

// Runs after the destructors of all static objects.
__attribute__((destructor)) void report_leaks() {
  bool leaked = false;
  for (const auto& [begin, block] : memory().blocks) {
    if (!block.lent || block.permanent) continue;
    fmt::print(stderr, "emulated CUDA: leak of {} bytes of device memory\n", block.usable);
    leaked = true;
  }
  std::fflush(nullptr);
  if (leaked) _exit(leak_exit_code);
}

}  // namespace

void* allocate_device_memory(size_t bytes) {
  DeviceMemory& device = memory();
  const std::lock_guard lock(device.mutex);
  if (bytes > device.limit || device.used > device.limit - bytes) return nullptr;
  auto* begin = static_cast<char*>(std::aligned_alloc(alignment, with_margins(bytes)));
  if (!begin) return nullptr;
  poison(begin, with_margins(bytes));
  if (!is_dry_run()) fill_with_nan(begin + margin, bytes);
  device.blocks[begin + margin] = {.bytes = bytes, .usable = bytes, .accessible = bytes};
  device.used += bytes;
  return begin + margin;
}

bool free_device_memory(void* block) {
  DeviceMemory& device = memory();
  const std::lock_guard lock(device.mutex);
  const auto entry = device.find(block);
  if (entry == device.blocks.end()) return false;
  device.used -= entry->second.bytes;
  unpoison(entry->first - margin, with_margins(entry->second.bytes));
  std::free(entry->first - margin);
  device.blocks.erase(entry);
  return true;
}

void set_device_memory_limit(size_t bytes) {
  const std::lock_guard lock(memory().mutex);
  memory().limit = bytes;
}

size_t device_memory_limit() {
  const std::lock_guard lock(memory().mutex);
  return memory().limit;
}

size_t device_memory_used() {
  const std::lock_guard lock(memory().mutex);
  return memory().used;
}

void lend_device_memory(void* block, size_t bytes) noexcept {
  {
    const std::lock_guard lock(memory().mutex);
    DeviceBlock& entry = memory().find(block)->second;
    entry.lent = true;
    entry.usable = bytes;
  }
  enqueue(allocator_stream(), [=] {
    const std::lock_guard lock(memory().mutex);
    memory().find(block)->second.accessible = bytes;
    fill_with_nan(block, bytes);
  });
}

void hide_device_memory(void* block) noexcept {
  {
    const std::lock_guard lock(memory().mutex);
    DeviceBlock& entry = memory().find(block)->second;
    entry.lent = false;
    entry.permanent = false;
    entry.usable = 0;
  }
  enqueue(allocator_stream(), [=] {
    const std::lock_guard lock(memory().mutex);
    memory().find(block)->second.accessible = 0;
  });
}

void mark_permanent(void* block) noexcept {
  const std::lock_guard lock(memory().mutex);
  memory().find(block)->second.permanent = true;
}

std::vector<std::pair<uintptr_t, uintptr_t>> usable_device_memory() {
  const std::lock_guard lock(memory().mutex);
  std::vector<std::pair<uintptr_t, uintptr_t>> result;
  for (const auto& [begin, block] : memory().blocks) {
    const auto address = reinterpret_cast<uintptr_t>(begin);
    if (block.accessible > 0) result.emplace_back(address, address + block.accessible);
  }
  return result;
}

Ownership ownership(const void* pointer) {
  DeviceMemory& device = memory();
  const std::lock_guard lock(device.mutex);
  const auto* address = static_cast<const char*>(pointer);
  auto next = device.blocks.upper_bound(const_cast<char*>(address));
  if (next == device.blocks.begin()) return Ownership::host;
  const auto& [begin, block] = *std::prev(next);
  if (address > begin + block.bytes) return Ownership::host;
  return block.lent && address <= begin + block.usable ? Ownership::device : Ownership::hidden;
}

DeviceMemoryScope::DeviceMemoryScope() {
  const std::lock_guard lock(memory().mutex);
  if (memory().scopes++ > 0) return;
  for (const auto& [begin, block] : memory().blocks) unpoison(begin, block.accessible);
}

DeviceMemoryScope::~DeviceMemoryScope() {
  const std::lock_guard lock(memory().mutex);
  if (--memory().scopes > 0) return;
  for (const auto& [begin, block] : memory().blocks) poison(begin, block.accessible);
}

}  // namespace emulated_cuda
