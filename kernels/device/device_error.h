// The device failed, or a library on it, whatever it was at work on: no file and no value is at fault, and a process
// that goes on with the device mostly meets the same error again.
#pragma once

#include "kernels/device/error.h"

namespace melgrad {

class DeviceError : public Error {
 public:
  using Error::Error;
};

}  // namespace melgrad
