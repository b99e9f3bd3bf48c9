// The highest speeds that a device reaches, measured.
#pragma once

#include "kernels/device/ceilings.h"
#include "kernels/device/stream.h"

namespace melgrad {

// CPU: measure_cpu_ceilings(). GPU: a large product of matrices of `dtype`, and a copy within the device; the emulated
// device computes small ones.
Ceilings measure_ceilings(Stream&, DType dtype);

}  // namespace melgrad
