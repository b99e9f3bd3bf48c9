// The highest speeds that a device reaches, measured. `melgrad profile` compares kernels with them.
#pragma once

#include "kernels/device/dtype.h"
#include "kernels/device/stream.h"

namespace melgrad {

struct Ceilings {
  double flops_per_second = 0;
  double bytes_per_second = 0;  // read and written

  // The arithmetic intensity, in operations a byte, from which on arithmetic limits a kernel and no longer memory.
  double ridge() const { return flops_per_second / bytes_per_second; }
};

// CPU: multiply-adds on registers with the instruction set of the convolutions, and copies of 128 MiB, both by all
// threads of the pool. GPU: a large product of matrices of `dtype`, and a copy within the device; the emulated device
// computes small ones. Takes about a second.
Ceilings measure_ceilings(Stream&, DType dtype);

}  // namespace melgrad
