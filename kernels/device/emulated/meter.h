// What a profiler with memory counters and a race checker would report of kernels, counted exactly on the emulated
// device. The .cu files are compiled so that every load, every store and every basic block calls back (CMakeLists.txt).
#pragma once

#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

namespace emulated_cuda {

// Requests are what a warp's load or store instruction sends: `units` are the 32-byte sectors it touches in device
// memory, or the passes it takes in shared memory; `least` is how many the same bytes would take if they were packed.
struct Traffic {
  uint64_t requests = 0, units = 0, least = 0, bytes = 0;  // bytes: asked for by lanes

  void add(const Traffic& other);
};

enum Kind : uint8_t {
  global_load,
  global_store,
  global_atomic,
  shared_load,
  shared_store,
  shared_atomic,
  kinds,
  block
};

struct Site : Traffic {  // one load or store instruction of the host's code
  Kind kind{};
  uint32_t size = 0;  // bytes per lane
};

struct Race {
  std::string memory;  // which, and where in it
  uint64_t first_instruction, second_instruction;
  const char *first, *second;  // "read", "write" or "atomic"
  uint64_t first_block, second_block;
  uint32_t first_thread, second_thread;
  uint64_t bytes = 0;    // how many met the same fate
  bool harmless = true;  // so far both wrote the same value
};

struct Launch {
  const char* operation;
  uint64_t kernel;  // its address in the program
  uint64_t launches = 1, blocks, threads_of_block;
  uint64_t accesses = 0;  // by lanes, as the callbacks counted them
  Traffic traffic[kinds];
  uint64_t read_bytes = 0, written_bytes = 0;  // of device memory, each counted once
  uint64_t read_sectors = 0, written_sectors = 0;
  uint64_t l2_read_sectors = 0;                              // that no first-level cache of a block's own held
  uint64_t dram_read_sectors = 0, dram_written_sectors = 0;  // by the model of the second-level cache
  uint64_t warp_steps = 0, lane_steps = 0;                   // basic blocks that warps went through, and their lanes
  std::map<uint64_t, Site> sites;                            // by return address
  std::vector<Race> races;
  double seconds = 0;  // of the host's processor
};

// Measures all following launches, or none.
void measure(bool on);
// Those since the last call.
std::vector<Launch> take_launches();
std::vector<Launch> summed(const std::vector<Launch>& launches);  // by kernel
void print_report(const std::vector<Launch>& launches, FILE* out, bool lines);
// "name" and "file:line < file:line" (innermost first) of an address in the program.
struct Source {
  std::string function, lines;
};
std::map<uint64_t, Source> find_sources(const std::vector<uint64_t>& addresses);

}  // namespace emulated_cuda
