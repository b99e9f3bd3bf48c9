// The records in which the meter counts a launch of a kernel, and the other requests of a program to the device.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "kernels/device/emulated/observer.h"

namespace emulated_cuda {

enum class AccessKind : uint8_t { global_load, global_store, global_atomic, shared_load, shared_store, shared_atomic };
inline constexpr int access_kinds = 6;
constexpr bool is_shared(AccessKind kind) { return kind >= AccessKind::shared_load; }
const char* name_of(AccessKind);

// A request is one load or store instruction of a warp. In device memory it moves 32-byte sectors, in shared memory it
// takes passes (Nsight Compute: wavefronts).
struct Traffic {
  uint64_t requests = 0;
  uint64_t transactions = 0;  // sectors or passes
  uint64_t least = 0;         // transactions for the same bytes if they were contiguous
  uint64_t bytes = 0;         // requested by the lanes

  void add(const Traffic&);
};

// One load or store instruction of the compiled kernel.
struct Site : Traffic {
  AccessKind kind{};
  uint32_t bytes_per_lane = 0;
};

struct Race {
  std::string memory;  // the argument or shared array, and the offset in it
  uint64_t first_instruction, second_instruction;
  const char *first, *second;  // "read", "write" or "atomic"
  uint64_t first_block, second_block;
  uint32_t first_thread, second_thread;
  uint64_t bytes = 0;    // with a race between these two instructions
  bool harmless = true;  // both wrote equal values
};

struct Measurement {
  std::string operation;  // the kernel of kernels/*.h that launched it
  uint64_t kernel = 0;    // address in the program
  uint64_t launches = 1, blocks = 0, threads_of_block = 0;
  uint64_t static_shared_bytes = 0, dynamic_shared_bytes = 0;  // the largest of any block
  uint64_t idle_threads = 0;                                   // threads that accessed no memory
  Traffic traffic[access_kinds];
  uint64_t read_bytes = 0, written_bytes = 0;  // distinct bytes of device memory
  uint64_t read_sectors = 0, written_sectors = 0;
  uint64_t l2_read_sectors = 0;                              // misses of the L1 cache, modelled per block
  uint64_t dram_read_sectors = 0, dram_written_sectors = 0;  // by the model of the L2 cache
  uint64_t warp_steps = 0, lane_steps = 0;                   // basic blocks executed by warps, and by lanes
  std::map<uint64_t, Site> sites;                            // by return address
  std::vector<Race> races;

  const Traffic& of(AccessKind kind) const { return traffic[static_cast<int>(kind)]; }
  Traffic global() const;
  Traffic shared() const;
  void add(const Measurement&);  // of the same kernel
};

// One entry per kernel and operation.
std::vector<Measurement> summed(const std::vector<Measurement>&);

struct LibraryCall {
  std::string operation, shape;
  double flops = 0, bytes = 0;
};

// The requests to the device that are no kernel of ours.
struct OtherCalls {
  std::map<RuntimeCall, uint64_t> calls;
  std::map<RuntimeCall, uint64_t> bytes;
  std::vector<LibraryCall> library;
};

}  // namespace emulated_cuda
