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

// Reports the grid to the observer; its destructor reports the end after an error too.
struct ObservedGrid {
  explicit ObservedGrid(const Grid& grid) {
    if (!observer) return;
    observer->begin_grid(grid.name, grid.kernel, uint64_t{grid.blocks.x} * grid.blocks.y * grid.blocks.z,
                         grid.threads.x * grid.threads.y * grid.threads.z, grid.shared_bytes);
  }
  ~ObservedGrid() {
    if (observer) observer->end_grid();
  }
};

}  // namespace

void require_valid(const Grid& grid) {
  const auto& [name, kernel, blocks, block, shared_bytes] = grid;
  const uint64_t threads = uint64_t{block.x} * block.y * block.z;
  if (threads == 0 || threads > largest_block || block.z > largest_block_z) {
    melgrad::fail("{}: a block of {}x{}x{} threads; it must have 1 to {}", name, block.x, block.y, block.z,
                  largest_block);
  }
  if (blocks.x == 0 || blocks.y == 0 || blocks.z == 0 || blocks.x > largest_grid_x || blocks.y > largest_grid_yz ||
      blocks.z > largest_grid_yz) {
    melgrad::fail("{}: a grid of {}x{}x{} blocks; each must be at least 1, y and z at most {}", name, blocks.x,
                  blocks.y, blocks.z, largest_grid_yz);
  }
  if (shared_bytes > largest_shared_bytes) {
    melgrad::fail("{}: {} bytes of shared memory; a block of this device can have {}", name, shared_bytes,
                  largest_shared_bytes);
  }
}

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

void announce(const Grid& grid) {
  note_launch(grid.name);
  const ObservedGrid observed(grid);
}

void run_grid(const Grid& grid, const std::function<void()>& thread) {
  static std::mutex one_at_a_time;
  const std::lock_guard lock(one_at_a_time);
  note_launch(grid.name);
  const DeviceMemoryScope accessible;
  gridDim = grid.blocks;
  const ObservedGrid observed(grid);
  for (const uint32_t z : ordered(grid.blocks.z, 0)) {
    for (const uint32_t y : ordered(grid.blocks.y, z)) {
      for (const uint32_t x : ordered(grid.blocks.x, y)) {
        if (observer) observer->begin_block(x + uint64_t{grid.blocks.x} * (y + uint64_t{grid.blocks.y} * z));
        const SharedMemoryScope shared(grid.shared_bytes);
        try {
          current_block().run(thread, {x, y, z}, grid.threads);
        } catch (const melgrad::Error& error) {
          melgrad::fail("{}: block ({}, {}, {}): {}", grid.name, x, y, z, error.what());
        }
        if (observer) observer->end_block();
      }
    }
  }
}

}  // namespace emulated_cuda
