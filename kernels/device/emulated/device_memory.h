// Device memory: host memory that is poisoned for AddressSanitizer except while kernels and copies run, so that host
// code which dereferences a device pointer is reported. Every block has poisoned margins, and is filled with NaN when
// allocated, so that outputs which no thread wrote are visible.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace emulated_cuda {

// Returns null if the limit (set_device_memory_limit) would be exceeded.
void* allocate_device_memory(size_t bytes);
// Returns false if `block` is not an allocated block.
bool free_device_memory(void* block);
// The size of the device memory. Initially unlimited.
void set_device_memory_limit(size_t bytes);
size_t device_memory_limit();
size_t device_memory_used();

// A caching allocator calls these when it hands a block out, of which only the first `bytes` bytes may be used, and
// when the block is released. Calls that submit work see the change at once. The NaN fill, and the end of access by
// kernels, are queued behind the work that was submitted before.
void lend_device_memory(void* block, size_t bytes) noexcept;
void hide_device_memory(void* block) noexcept;
// Marks a block that is used until the process ends, so that it is not reported as a leak.
void mark_permanent(void* block) noexcept;

// [begin, end) of every block in use, ordered by address.
std::vector<std::pair<uintptr_t, uintptr_t>> usable_device_memory();

enum class Ownership { device, hidden, host };
// device: points into usable device memory or just behind its end. hidden: points into a released block, or beyond the
// usable bytes of a block. host: anything else.
Ownership ownership(const void* pointer);

// Device memory can be accessed while an object of this class exists.
class DeviceMemoryScope {
 public:
  DeviceMemoryScope();
  ~DeviceMemoryScope();
  DeviceMemoryScope(const DeviceMemoryScope&) = delete;
  DeviceMemoryScope& operator=(const DeviceMemoryScope&) = delete;
};

// At exit, blocks that are still in use are reported on stderr, and the process ends with this exit code.
constexpr int leak_exit_code = 23;

}  // namespace emulated_cuda
