// Names and source lines of addresses in the running program.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "kernels/device/emulated/meter/measurement.h"

namespace emulated_cuda {

struct Source {
  std::string function;  // with template arguments, without parameters and namespaces
  std::string lines;     // "file:line < file:line": an inlined function, then the function that called it
};
// Asks addr2line (binutils). Without it, the names are empty.
std::map<uint64_t, Source> find_sources(std::vector<uint64_t> addresses);

// The address of the call before a return address. Measurements contain return addresses.
constexpr uint64_t call_before(uint64_t return_address) { return return_address - 1; }

// All addresses that the measurements contain.
std::map<uint64_t, Source> find_sources(const std::vector<Measurement>&);

}  // namespace emulated_cuda
