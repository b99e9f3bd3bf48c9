// Kernels with known costs and faults, for the access meter.
#pragma once

#include <cstdint>

#include "kernels/device/stream.h"

namespace melgrad::meter {

// Launches every kernel once. x and y hold side * side numbers.
void run_bad_kernels(Stream&, const float* x, float* y, int64_t side);

}  // namespace melgrad::meter
