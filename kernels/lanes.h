// Eight floats in one register, and complex numbers of them. The alignment of a vector type depends on the compiler's
// flags, so this header is for files of kernels/ alone; others hold Lanes.
#pragma once

#include "kernels/fft.h"

namespace melgrad::kernel {

using Vector [[gnu::vector_size(sizeof(Lanes)), gnu::may_alias]] = float;

inline Vector& as_vector(Lanes& lanes) { return reinterpret_cast<Vector&>(lanes); }
inline const Vector& as_vector(const Lanes& lanes) { return reinterpret_cast<const Vector&>(lanes); }

}  // namespace melgrad::kernel
