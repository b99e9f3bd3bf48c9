// A register of floats or doubles. Only the files of a level (cpu_level.h) include this header, each after it has
// defined
//   MELGRAD_LEVEL    the name of the level, which is also its namespace
//   MELGRAD_LANES    floats in a register
// The namespace keeps the levels apart: without it the linker would merge equal inline functions of different levels,
// and the program would execute instructions that the processor lacks. For the same reason these files use no function
// of the standard library.
#pragma once

#include <cstdint>

namespace melgrad::kernel::MELGRAD_LEVEL {

// `count` numbers, which arithmetic operators take one by one.
template <class Real, int count>
struct VectorOf {
  using Type [[gnu::vector_size(count * sizeof(Real)), gnu::may_alias]] = Real;
  using Unaligned [[gnu::vector_size(count * sizeof(Real)), gnu::may_alias, gnu::aligned(sizeof(Real))]] = Real;
};

template <class Real>
constexpr int lanes = MELGRAD_LANES * sizeof(float) / sizeof(Real);
template <class Real>
using Register = typename VectorOf<Real, lanes<Real>>::Type;

// `count` consecutive values, at any alignment.
template <int count, class Real>
[[gnu::always_inline]] inline typename VectorOf<Real, count>::Type load(const Real* values) {
  return *reinterpret_cast<const typename VectorOf<Real, count>::Unaligned*>(values);
}
template <int count, class Real>
[[gnu::always_inline]] inline void store(Real* values, typename VectorOf<Real, count>::Type vector) {
  *reinterpret_cast<typename VectorOf<Real, count>::Unaligned*>(values) = vector;
}

}  // namespace melgrad::kernel::MELGRAD_LEVEL
