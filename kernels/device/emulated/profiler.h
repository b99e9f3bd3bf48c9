// A profiler that remembers by name what ran between cudaProfilerStart and cudaProfilerStop.
#pragma once

#include <string>
#include <vector>

#include "kernels/device/emulated/runtime.h"

cudaError_t cudaProfilerStart();
cudaError_t cudaProfilerStop();

namespace emulated_cuda {

void note_launch(const char* name);

// Of all captures since the last call, in order, and forgets them.
std::vector<std::string> take_captured_launches();

}  // namespace emulated_cuda
