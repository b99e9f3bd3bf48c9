// The counts of a program as JSON, for other programs.
#pragma once

#include <string>
#include <vector>

#include "kernels/device/emulated/meter/measurement.h"

namespace emulated_cuda {

// {"columns": [names], "launches": [[values], ...], "library": [...], "calls": {...}, "device_memory_bytes": the memory
// that the program holds}. One launch a line, in order. Bytes are of device memory; `*_least` are the transactions for
// the same bytes if they were contiguous.
std::string counts_json(const std::vector<Measurement>&, const OtherCalls&);

}  // namespace emulated_cuda
