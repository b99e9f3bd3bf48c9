// A profiler that records the names of the launches between cudaProfilerStart and cudaProfilerStop.
#pragma once

#include <string>
#include <vector>

#include "kernels/device/emulated/runtime.h"

cudaError_t cudaProfilerStart();
cudaError_t cudaProfilerStop();

namespace emulated_cuda {

void note_launch(const char* name);

// The names recorded since the last call, in order.
std::vector<std::string> take_captured_launches();

}  // namespace emulated_cuda
