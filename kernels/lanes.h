// Four doubles in one register, and complex numbers of them. The alignment of a vector type depends on the compiler's
// flags, so this header is for files of kernels/ alone; others hold Lanes.
#pragma once

#include "kernels/fft.h"

namespace melgrad::kernel {

using Vector [[gnu::vector_size(sizeof(Lanes)), gnu::may_alias]] = double;

// Four neighbours at any address.
template <class T>
Vector load(const T* values) {
  using Unaligned [[gnu::vector_size(fft_lanes * sizeof(T)), gnu::may_alias, gnu::aligned(sizeof(T))]] = T;
  return __builtin_convertvector(*reinterpret_cast<const Unaligned*>(values), Vector);
}

inline Vector& as_vector(Lanes& lanes) { return reinterpret_cast<Vector&>(lanes); }
inline const Vector& as_vector(const Lanes& lanes) { return reinterpret_cast<const Vector&>(lanes); }

}  // namespace melgrad::kernel
