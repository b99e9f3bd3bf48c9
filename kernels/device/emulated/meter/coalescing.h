// Computes the cost of one load or store instruction of a warp: the sectors of device memory that it moves, or the
// passes that it takes over the banks of shared memory.
#pragma once

#include <cstdint>
#include <span>

#include "kernels/device/emulated/meter/warp_log.h"

namespace emulated_cuda {

struct SectorRequest {
  uint64_t sectors[2 * lanes];  // address / sector_bytes; an access of up to 16 bytes touches at most two
  uint32_t count = 0;
  uint32_t least = 0;  // sectors for the same distinct bytes if they were contiguous
};
SectorRequest coalesce(std::span<const Record> accesses);

struct BankRequest {
  uint32_t passes = 0, least = 0;
};
// Shared memory has 32 banks of 4 bytes. Lanes that read the same word share a pass; atomics do not share. Accesses of
// 8 and 16 bytes are processed by half and quarter warps.
BankRequest count_passes(std::span<const Record> accesses);

}  // namespace emulated_cuda
