// The meter counts the memory accesses of kernels on the emulated device, as a profiler's memory counters would, and
// finds data races. The .cu files are compiled so that every load, store and basic block calls the meter
// (CMakeLists.txt).
#pragma once

#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

namespace emulated_cuda {

// A request is one load or store instruction of a warp. `units` counts the 32-byte sectors that it touches in device
// memory, or the passes that it takes in shared memory; `least` is the number for the same bytes without gaps. `bytes`
// are the bytes that lanes requested.
struct Traffic {
  uint64_t requests = 0, units = 0, least = 0, bytes = 0;

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

// One load or store instruction of the compiled code.
struct Site : Traffic {
  Kind kind{};
  uint32_t size = 0;  // bytes per lane
};

struct Race {
  std::string memory;  // the argument or shared array, and the offset in it
  uint64_t first_instruction, second_instruction;
  const char *first, *second;  // "read", "write" or "atomic"
  uint64_t first_block, second_block;
  uint32_t first_thread, second_thread;
  uint64_t bytes = 0;    // bytes with a race between these two instructions
  bool harmless = true;  // true while both wrote equal values
};

struct Launch {
  const char* operation;
  uint64_t kernel;  // address in the program
  uint64_t launches = 1, blocks, threads_of_block;
  uint64_t accesses = 0;  // of single lanes
  Traffic traffic[kinds];
  uint64_t read_bytes = 0, written_bytes = 0;  // distinct bytes of device memory
  uint64_t read_sectors = 0, written_sectors = 0;
  uint64_t l2_read_sectors = 0;                              // misses of the L1 cache, modelled per block
  uint64_t dram_read_sectors = 0, dram_written_sectors = 0;  // by the model of the L2 cache
  uint64_t warp_steps = 0, lane_steps = 0;                   // basic blocks executed by warps, and by lanes
  std::map<uint64_t, Site> sites;                            // by return address
  std::vector<Race> races;
  double seconds = 0;  // of CPU time
};

// Turns measuring of the following launches on or off.
void measure(bool on);
// The launches measured since the last call.
std::vector<Launch> take_launches();
std::vector<Launch> summed(const std::vector<Launch>& launches);  // one entry per kernel
void print_report(const std::vector<Launch>& launches, FILE* out, bool lines);
// The function, and "file:line < file:line" with the innermost first, of an address in the program.
struct Source {
  std::string function, lines;
};
std::map<uint64_t, Source> find_sources(const std::vector<uint64_t>& addresses);

}  // namespace emulated_cuda
