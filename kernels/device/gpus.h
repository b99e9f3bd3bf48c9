// The machine's GPUs as their driver describes them.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace melgrad {

struct GpuInfo {
  std::string name;                // "NVIDIA H200"
  std::string compute_capability;  // "9.0"
  size_t memory_bytes = 0;
};

// In the driver's order; none where Stream::why_unavailable(Device::cuda) has a reason.
std::vector<GpuInfo> gpus();

}  // namespace melgrad
