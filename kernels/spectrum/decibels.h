// Decibels of a vector of powers.
#pragma once

#include "kernels/device/level_register.h"

namespace melgrad::kernel::spectrum::MELGRAD_LEVEL {

using kernel::MELGRAD_LEVEL::VectorOf;

// 10 log10(max(1e-10, power)) of each of `count` powers; infinity for infinity. NaN counts as 0.
//
// A power is 2^exponent m with m between sqrt(1/2) and sqrt(2). With s = (m - 1) / (m + 1), at most 0.172,
//   ln m = 2 artanh s = 2 (s + s^3 / 3 + s^5 / 5 + s^7 / 7 + s^9 / 9 + ...),
// and the terms that are left out are below 1e-9 of the sum.
template <int count>
inline typename VectorOf<float, count>::Type decibels(typename VectorOf<float, count>::Type power) {
  using Floats = typename VectorOf<float, count>::Type;
  using Integers = typename VectorOf<int32_t, count>::Type;
  constexpr float smallest = 1e-10f, largest = 3.40282347e38f;
  constexpr int32_t bits_of_root_half = 0x3f3504f3, mantissa_bits = 23;
  constexpr float db_per_octave = 3.01029996f, two_nepers = 8.68588964f;  // 10 log10(2) and 20 log10(e)

  const Floats x = power > smallest ? power : Floats{} + smallest;
  const auto bits = reinterpret_cast<Integers>(x);
  const Integers exponent = (bits - bits_of_root_half) >> mantissa_bits;
  const auto m = reinterpret_cast<Floats>(bits - (exponent << mantissa_bits));
  const Floats s = (m - 1) / (m + 1), s2 = s * s;
  const Floats series =
      two_nepers + s2 * (two_nepers / 3 + s2 * (two_nepers / 5 + s2 * (two_nepers / 7 + s2 * (two_nepers / 9))));
  const Floats db = __builtin_convertvector(exponent, Floats) * db_per_octave + s * series;
  return x <= largest ? db : x;
}

}  // namespace melgrad::kernel::spectrum::MELGRAD_LEVEL
