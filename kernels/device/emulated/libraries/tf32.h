// The rounding of tensor cores in TF32.
#pragma once

#include "kernels/device/low_precision.h"

namespace emulated_cuda {

// Rounds to 11 bits of precision, to the nearest, ties away from zero (the PTX instruction cvt.rna.tf32.f32).
inline float round_to_tf32(float value) {
  const uint32_t bits = melgrad::low_precision::bits_of(value);
  if ((bits & ~melgrad::low_precision::sign_bit) >= melgrad::low_precision::infinity) return value;
  return melgrad::low_precision::float_of((bits + 0x1000) & ~uint32_t{0x1fff});
}

}  // namespace emulated_cuda
