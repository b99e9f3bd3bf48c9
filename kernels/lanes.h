// Four doubles in one register, and complex numbers of them. The alignment of a vector type depends on the compiler's
// flags, so this header is for files of kernels/ alone; others hold Lanes.
#pragma once

#include "kernels/fft.h"

namespace melgrad::kernel {

using LaneRegister [[gnu::vector_size(sizeof(Lanes)), gnu::may_alias]] = double;

// Four neighbours at any address.
template <class T>
LaneRegister load(const T* values) {
  using Unaligned [[gnu::vector_size(fft_lanes * sizeof(T)), gnu::may_alias, gnu::aligned(sizeof(T))]] = T;
  return __builtin_convertvector(*reinterpret_cast<const Unaligned*>(values), LaneRegister);
}

inline LaneRegister& as_register(Lanes& lanes) { return reinterpret_cast<LaneRegister&>(lanes); }
inline const LaneRegister& as_register(const Lanes& lanes) { return reinterpret_cast<const LaneRegister&>(lanes); }

}  // namespace melgrad::kernel
