// A counter in device memory, such as the number of training steps: a captured CUDA graph increments it at every
// replay.
#pragma once

#include "kernels/device/kernel.h"

namespace melgrad::kernel {

KERNEL(increment, uint64_t* counter)

}  // namespace melgrad::kernel
