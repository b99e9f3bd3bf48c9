// Input values of the benchmarks. With zeros a GPU would be faster than in real use: it saves power when no bit
// changes, so its clocks rise.
#pragma once

#include "framework/tensor.h"

namespace melgrad::bench {

// Uniform on [-1, 1), the same in every run. Repeats a short sequence, which is fast to generate.
Tensor random_values(const Shape&, DType, Device);

}  // namespace melgrad::bench
