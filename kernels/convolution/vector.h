// A register of floats. Only the files of a level include this header, each after it has defined
//   MELGRAD_LEVEL        the name of the level, which is also its namespace
//   MELGRAD_LANES        floats in a register
//   MELGRAD_REGISTERS    registers that a product may use for sums
// The namespace keeps the levels apart: without it the linker would merge equal inline functions of different levels,
// and the program would execute instructions that the processor lacks. For the same reason these files use no function
// of the standard library.
#pragma once

#include "kernels/convolution/level.h"

namespace melgrad::kernel::convolution::MELGRAD_LEVEL {

constexpr int64_t lanes = MELGRAD_LANES;

using Vector [[gnu::vector_size(lanes * sizeof(float)), gnu::may_alias]] = float;
using UnalignedVector [[gnu::vector_size(lanes * sizeof(float)), gnu::may_alias, gnu::aligned(sizeof(float))]] = float;

[[gnu::always_inline]] inline Vector load(const float* values) {
  return *reinterpret_cast<const UnalignedVector*>(values);
}
[[gnu::always_inline]] inline void store(float* values, Vector vector) {
  *reinterpret_cast<UnalignedVector*>(values) = vector;
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
