// Descriptions of the processor and the GPUs of this machine, for reports.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace melgrad {

struct Processor {
  std::string name;                       // "AMD EPYC 9R14"; "unknown" if the system does not report it
  int threads = 1;                        // thread_count()
  std::vector<std::string> instructions;  // supported x86-64 vector extensions: "avx2", "fma", ...
};

Processor processor();

// The instruction set of cpu_level(): "AVX-512", "AVX2" or "portable" (cpu_level.h). Results differ in rounding between
// instruction sets, so a training differs too. Throws UsageError if MELGRAD_CPU has no valid value.
std::string instruction_set();

struct GpuInfo {
  std::string name;                // "NVIDIA H200"
  std::string compute_capability;  // "9.0"
  size_t memory_bytes = 0;
};

// The GPUs of this machine in the driver's order. Empty if Stream::why_unavailable(Device::cuda) returns a reason.
std::vector<GpuInfo> gpus();

}  // namespace melgrad
