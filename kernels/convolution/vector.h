// Whole and partial registers of floats. Only the files of a level include this header, under the rules of
// kernels/device/level_register.h. Each must also have defined
//   MELGRAD_REGISTERS    registers that a product may use for sums
#pragma once

#include "kernels/convolution/level.h"
#include "kernels/device/level_register.h"

namespace melgrad::kernel::convolution::MELGRAD_LEVEL {

constexpr int64_t lanes = MELGRAD_LANES;

using Vector = kernel::MELGRAD_LEVEL::Register<float>;

[[gnu::always_inline]] inline Vector load(const float* values) { return kernel::MELGRAD_LEVEL::load<lanes>(values); }
[[gnu::always_inline]] inline void store(float* values, Vector vector) {
  kernel::MELGRAD_LEVEL::store<lanes>(values, vector);
}

// The first `count` lanes; zeros follow.
[[gnu::always_inline]] inline Vector load_part(const float* values, int64_t count) {
  if (count >= lanes) return load(values);
  float copy[lanes] = {};
  for (int64_t i = 0; i < count; ++i) copy[i] = values[i];
  return load(copy);
}
// Stores the first `count` lanes.
[[gnu::always_inline]] inline void store_part(float* values, Vector vector, int64_t count) {
  if (count >= lanes) return store(values, vector);
  float copy[lanes];
  store(copy, vector);
  for (int64_t i = 0; i < count; ++i) values[i] = copy[i];
}

}  // namespace melgrad::kernel::convolution::MELGRAD_LEVEL
