// Running a test on every device of the build.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "kernels/device/stream.h"

namespace melgrad {

#if MELGRAD_CUDA
inline constexpr Device devices[] = {Device::cpu, Device::cuda};
#else
inline constexpr Device devices[] = {Device::cpu};
#endif

inline std::string name_of_device(const testing::TestParamInfo<Device>& test) { return name_of(test.param); }

// body(), or a skipped test where the machine lacks the device.
template <class Body>
void run_on(Device device, Body body) {
  if (!Stream::available(device)) GTEST_SKIP() << "there is no " << name_of(device) << " device";
  body();
}

}  // namespace melgrad
