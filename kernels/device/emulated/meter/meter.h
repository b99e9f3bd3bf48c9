// The meter counts the memory accesses of kernels on the emulated device, as a profiler's memory counters would, and
// finds data races. The .cu files are compiled so that every load, store and basic block calls the meter
// (callbacks.cpp, CMakeLists.txt): only in builds with MELGRAD_METER.
//
// Exact: requests, sectors, bytes, bank conflicts of 4-byte accesses, races of the paths that ran. Models: the caches.
// Not seen: register spills, and what nvcc reorders or removes (`ptxas -v` and the SASS show it).
#pragma once

#include <vector>

#include "kernels/device/emulated/meter/measurement.h"

namespace emulated_cuda {

struct MeterOptions {
  bool only_profiled = false;  // measures only between cudaProfilerStart and cudaProfilerStop
  bool sum_launches = false;   // of one kernel, to bound the memory of long runs
};

// Starts to measure all launches, or stops it.
void start_meter(const MeterOptions& = {});
void stop_meter();
// Starts the meter if the environment asks for it (environment.cpp).
void start_meter_by_environment();
// The launches measured since the last call, in order.
std::vector<Measurement> take_measurements();
// The other requests since the last call.
OtherCalls take_other_calls();

}  // namespace emulated_cuda
