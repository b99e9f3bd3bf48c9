// The devices on which a test runs.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "kernels/device/stream.h"

namespace melgrad::test {

// The devices that this build supports, for parameterised tests. If the machine lacks one, MELGRAD_SKIP_WITHOUT skips
// the test.
#if MELGRAD_CUDA
inline constexpr Device devices_of_build[] = {Device::cpu, Device::cuda};
#else
inline constexpr Device devices_of_build[] = {Device::cpu};
#endif

// The devices that this build supports and this machine has.
inline std::vector<Device> available_devices() {
  std::vector<Device> devices;
  for (const Device device : devices_of_build) {
    if (Stream::available(device)) devices.push_back(device);
  }
  return devices;
}

inline std::string name_of_device(const testing::TestParamInfo<Device>& test) { return name_of(test.param); }

}  // namespace melgrad::test

#define MELGRAD_SKIP_WITHOUT(device) \
  if (!::melgrad::Stream::available(device)) GTEST_SKIP() << "no " << name_of(device) << " device"
#define MELGRAD_SKIP_WITHOUT_CUDA() MELGRAD_SKIP_WITHOUT(::melgrad::Device::cuda)
