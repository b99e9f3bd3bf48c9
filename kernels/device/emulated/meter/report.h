// Reports of the meter, for people.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "kernels/device/emulated/meter/measurement.h"
#include "kernels/device/emulated/meter/sources.h"

namespace emulated_cuda {

// A row for each kernel.
std::string kernel_table(const std::vector<Measurement>&);
// The four instructions of each kernel that move the most sectors, or take the most passes, in vain.
std::string wasteful_lines(const std::vector<Measurement>&);
std::string describe(const Race&, const std::string& kernel, const std::map<uint64_t, Source>&);
// Every race, one a line; empty if there is none. Without the harmless ones (two writes of equal values) unless asked.
std::string describe_races(const std::vector<Measurement>&, bool with_harmless = false);

}  // namespace emulated_cuda
