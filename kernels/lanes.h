// Four doubles in one register. The alignment of a vector type depends on compiler flags, so only .cpp files of
// kernels/ may include this header; all others use Lanes.
#pragma once

#include "kernels/fft.h"

namespace melgrad::kernel {

using LaneRegister [[gnu::vector_size(sizeof(Lanes)), gnu::may_alias]] = double;

// Four consecutive values, at any alignment.
template <class T>
LaneRegister load(const T* values) {
  using Unaligned [[gnu::vector_size(fft_lanes * sizeof(T)), gnu::may_alias, gnu::aligned(sizeof(T))]] = T;
  return __builtin_convertvector(*reinterpret_cast<const Unaligned*>(values), LaneRegister);
}

inline LaneRegister& as_register(Lanes& lanes) { return reinterpret_cast<LaneRegister&>(lanes); }
inline const LaneRegister& as_register(const Lanes& lanes) { return reinterpret_cast<const LaneRegister&>(lanes); }

}  // namespace melgrad::kernel
