// Devices by the names that users give: "auto", "cpu", "cuda" (the same as "cuda:0"), "cuda:N".
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "kernels/device/stream.h"

namespace melgrad {

bool is_device_name(std::string_view name);

struct DeviceChoice {
  Device device;
  // The reason why auto chose the CPU in a program built for GPUs, in one line. Empty in all other cases.
  std::optional<std::string> why_no_gpu;
};

// auto: the first GPU if it is usable, otherwise the CPU. Throws Error for an unknown name and for a GPU that cannot be
// used.
DeviceChoice choose_device(std::string_view name);

// Throws the Error of choose_device for a GPU that cannot be used, and leaves the device to other processes.
void require_device(std::string_view name);

}  // namespace melgrad
