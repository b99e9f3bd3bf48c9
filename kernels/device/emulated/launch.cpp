#include "kernels/device/emulated/launch.h"

#include <mutex>

#include "kernels/device/emulated/block.h"
#include "kernels/device/emulated/device_memory.h"
#include "kernels/device/emulated/order.h"
#include "kernels/device/emulated/profiler.h"
#include "kernels/device/emulated/shared_memory.h"
#include "kernels/device/error.h"

namespace emulated_cuda {
namespace {

// The limits of compute capability 7.5 (CUDA C++ Programming Guide, "Compute Capabilities").
constexpr uint64_t largest_block = 1024, largest_block_z = 64;
constexpr uint64_t largest_grid_x = 0x7fffffff, largest_grid_yz = 65535;
constexpr size_t largest_shared_bytes = 64 << 10;

void require_valid(const char* name, dim3 grid, dim3 block, size_t shared_bytes) {
  const uint64_t threads = uint64_t{block.x} * block.y * block.z;
  if (threads == 0 || threads > largest_block || block.z > largest_block_z) {
    melgrad::fail("{}: a block of {}x{}x{} threads; it must have 1 to {}", name, block.x, block.y, block.z,
                  largest_block);
  }
  if (grid.x == 0 || grid.y == 0 || grid.z == 0 || grid.x > largest_grid_x || grid.y > largest_grid_yz ||
      grid.z > largest_grid_yz) {
    melgrad::fail("{}: a grid of {}x{}x{} blocks; each must be at least 1, y and z at most {}", name, grid.x, grid.y,
                  grid.z, largest_grid_yz);
  }
  if (shared_bytes > largest_shared_bytes) {
    melgrad::fail("{}: {} bytes of shared memory; not every GPU has more than {}", name, shared_bytes,
                  largest_shared_bytes);
  }
}

// Reports the grid to the observer; its destructor reports the end after an error too.
struct ObservedGrid {
  ObservedGrid(const char* name, const void* kernel, dim3 block) {
    if (observer) observer->begin_grid(name, kernel, block.x * block.y * block.z);
  }
  ~ObservedGrid() {
    if (observer) observer->end_grid();
  }
};

}  // namespace

void require_device_pointer(const char* name, int position, const void* pointer) {
  if (!pointer) return;
  switch (ownership(pointer)) {
    case Ownership::device:
      return;
    case Ownership::hidden:
      melgrad::fail("{}: argument {} points into device memory that was released", name, position);
    case Ownership::host:
      melgrad::fail("{}: argument {} does not point into device memory", name, position);
  }
}

void run_grid(const char* name, const void* kernel, dim3 grid, dim3 block, size_t shared_bytes,
              const std::function<void()>& thread) {
  require_valid(name, grid, block, shared_bytes);
  static std::mutex one_at_a_time;
  const std::lock_guard lock(one_at_a_time);
  note_launch(name);
  const DeviceMemoryScope accessible;
  gridDim = grid;
  const ObservedGrid observed(name, kernel, block);
  for (const uint32_t z : ordered(grid.z, 0)) {
    for (const uint32_t y : ordered(grid.y, z)) {
      for (const uint32_t x : ordered(grid.x, y)) {
        if (observer) observer->begin_block(x + uint64_t{grid.x} * (y + uint64_t{grid.y} * z));
        const SharedMemoryScope shared(shared_bytes);
        try {
          current_block().run(thread, {x, y, z}, block);
        } catch (const melgrad::Error& error) {
          melgrad::fail("{}: block ({}, {}, {}): {}", name, x, y, z, error.what());
        }
      }
    }
  }
}

}  // namespace emulated_cuda
