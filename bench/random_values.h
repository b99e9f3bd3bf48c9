// What the benchmarks compute with. Zeros would flatter a GPU: its clocks rise when no bit changes.
#pragma once

#include "framework/tensor.h"

namespace melgrad::bench {

// Uniform on [-1, 1), the same in every run; a short sequence repeated, which costs little to make.
Tensor random_values(const Shape&, DType, Device);

}  // namespace melgrad::bench
