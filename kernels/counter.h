// A counter in device memory, so that a captured graph moves it on at every replay: training steps, batches seen.
#pragma once

#include "kernels/device/kernel.h"

namespace melgrad::kernel {

KERNEL(increment, uint64_t* counter)

}  // namespace melgrad::kernel
