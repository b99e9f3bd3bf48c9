// Device memory: ordinary memory that the host may hold pointers to and may not touch. It is poisoned for
// AddressSanitizer except while kernels and copies run, so host code that follows a device pointer is caught; every
// block has poisoned surroundings, and starts as NaN, so an output that no thread wrote shows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace emulated_cuda {

// Null when the limit (set_device_memory_limit) would be passed.
void* allocate_device_memory(size_t bytes);
// False when `block` is not an allocated block.
bool free_device_memory(void* block);
// The device has this much memory. At first, as much as the host.
void set_device_memory_limit(size_t bytes);
size_t device_memory_limit();
size_t device_memory_used();

// A caching allocator hands a block out (only its first `bytes` may be used) and takes it back (none may).
void lend_device_memory(void* block, size_t bytes) noexcept;
void hide_device_memory(void* block) noexcept;
// The block is meant to live as long as the process: no leak.
void mark_permanent(void* block) noexcept;

// [begin, end) of the blocks that may be used, by address.
std::vector<std::pair<uintptr_t, uintptr_t>> usable_device_memory();

enum class Ownership { device, hidden, host };
// Where a pointer points: into usable device memory (or just behind its end), into a block that was released, or
// elsewhere.
Ownership ownership(const void* pointer);

// While one exists, usable device memory can be touched.
class DeviceMemoryScope {
 public:
  DeviceMemoryScope();
  ~DeviceMemoryScope();
  DeviceMemoryScope(const DeviceMemoryScope&) = delete;
  DeviceMemoryScope& operator=(const DeviceMemoryScope&) = delete;
};

// At exit, blocks still lent or never freed are reported on stderr and the process ends with this code.
constexpr int leak_exit_code = 23;

}  // namespace emulated_cuda
