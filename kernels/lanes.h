// Eight floats in one register, and complex numbers of them. The alignment of a vector type depends on the compiler's
// flags, so this header is for files of kernels/ alone; others hold Lanes.
#pragma once

#include "kernels/fft.h"

namespace melgrad::kernel {

using Vector [[gnu::vector_size(sizeof(Lanes)), gnu::may_alias]] = float;

// Eight neighbours at any address; memcpy would go through the stack in halves.
inline Vector load(const float* values) {
  using Unaligned [[gnu::vector_size(sizeof(Lanes)), gnu::may_alias, gnu::aligned(sizeof(float))]] = float;
  return *reinterpret_cast<const Unaligned*>(values);
}

inline Vector& as_vector(Lanes& lanes) { return reinterpret_cast<Vector&>(lanes); }
inline const Vector& as_vector(const Lanes& lanes) { return reinterpret_cast<const Vector&>(lanes); }

}  // namespace melgrad::kernel
