// The instrumented code of kernels reports to the meter through these functions.
#pragma once

#include <cstdint>

namespace emulated_cuda {

// True in the host thread that runs a measured kernel. Instrumented code also runs on the host.
inline thread_local bool kernel_is_running = false;

void note_basic_block(const void* instruction);
// Call it before the access takes place.
void note_access(const void* address, uint32_t bytes, bool write, const void* instruction);

}  // namespace emulated_cuda
