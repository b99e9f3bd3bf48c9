// Devices as users name them: "auto", "cpu", "cuda", which is "cuda:0", and "cuda:N".
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "kernels/device/stream.h"

namespace melgrad {

bool is_device_name(std::string_view name);

struct DeviceChoice {
  Device device;
  // A line that says why auto came to the CPU in a program built for GPUs; else nothing.
  std::optional<std::string> why_no_gpu;
};

// auto takes a GPU where there is one. Throws Error for a name that is none, and when the GPU asked for is not there.
DeviceChoice choose_device(std::string_view name);

}  // namespace melgrad
