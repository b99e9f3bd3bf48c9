// Finds data races of a kernel by happens-before analysis: two accesses to the same bytes, at least one of them a write
// and not both atomic, that nothing orders. The result does not depend on the order in which the threads ran.
//
// Two accesses are ordered by:
//   - the program order of one thread;
//   - a block barrier between them, for threads of one block;
//   - __syncwarp between them, for the lanes of its mask. Shuffles and votes order no memory accesses (CUDA C++
//     Programming Guide, "Warp Shuffle Functions");
//   - between blocks: a __threadfence and then an atomic of the earlier thread, and an atomic on the same address and
//     then a __threadfence of the later thread. The first fence covers what its thread did and everything before the
//     last block barrier; the second one is passed on by the next block barrier. The order is not passed on through a
//     third block.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "kernels/device/emulated/block.h"
#include "kernels/device/emulated/meter/measurement.h"
#include "kernels/device/emulated/meter/shadow_memory.h"
#include "kernels/device/emulated/meter/site_table.h"
#include "kernels/device/emulated/meter/store_buffer.h"

namespace emulated_cuda {

struct MemoryAccess {
  Region& region;
  uint32_t offset, bytes;
  bool write, atomic;
  uint32_t thread, site;
};

class RaceFinder {
 public:
  RaceFinder(const SiteTable& sites, const StoreBuffer& stores) : sites_(sites), stores_(stores) {}

  void begin_grid(uint32_t threads_of_block);
  void argument(int position, const void* pointer);
  void begin_block(uint64_t index);
  void synchronize_block();
  void synchronize_warp(uint32_t warp, uint32_t mask);
  void fence(uint32_t thread);
  void atomic(const void* address, uint32_t thread);
  // Call it before the access takes place.
  void access(const MemoryAccess&);
  // Call it after a write took place and before the next access.
  void settle();
  std::vector<Race> take_races();

 private:
  // Atomics of one address make these accesses visible: those of a range of epochs, and those of `thread` in
  // `own_epoch`.
  struct Release {
    uint32_t first_epoch, end_epoch, own_epoch, thread;
  };
  // The first `count` releases of an address; later blocks append to it.
  struct Acquired {
    const std::vector<Release>* releases;
    size_t count;
    bool contains(Stamp) const;
  };
  // The state of a thread that executed a fence or an atomic in this block.
  struct Ordering {
    std::vector<Acquired> pending, acquired;  // before and after the thread's fence
    Release release{};
    bool has_fenced = false;
  };
  struct Write {
    Race* race;
    const char* memory;
    uint32_t bytes;
    char before[16];
  };

  void begin_epoch();
  bool is_past(Stamp, uint32_t thread) const;
  void visit(Cell&, uint32_t offset, uint32_t bytes, Stamp now, const MemoryAccess&);
  void report(const MemoryAccess&, uint32_t offset, uint32_t bytes, Stamp before, const char* what, Stamp now);
  std::string describe(const Region&, uint32_t offset) const;

  const SiteTable& sites_;
  const StoreBuffer& stores_;
  std::vector<std::pair<uintptr_t, int>> arguments_;
  std::vector<std::array<uint16_t, lanes>> clocks_;  // vector clock of every thread over its warp
  std::vector<uint64_t> block_of_epoch_;
  uint32_t epoch_ = 0, first_epoch_ = 0;  // the present one, and the first of the present block
  uint64_t block_ = 0;
  std::map<uint32_t, Ordering> orderings_;                // by thread of the present block
  std::vector<Acquired> acquired_by_block_;               // passed on by a block barrier
  std::map<const void*, std::vector<Release>> released_;  // by address of the atomics
  std::map<uint64_t, Race> races_;                        // by the two sites
  std::vector<Write> writes_;                             // of the present access, with the bytes before it
};

}  // namespace emulated_cuda
