// The highest speeds that this machine reaches, measured: what `melgrad profile` compares kernels with.
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

// On the CPU: multiply-adds on registers with the instruction set of the convolutions, and copies of 128 MiB, both by
// all threads of the pool. Takes about a second.
Ceilings measure_cpu_ceilings();

}  // namespace melgrad
