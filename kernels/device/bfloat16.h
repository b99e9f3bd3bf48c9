// bfloat16 is the upper half of a float32: the same range with 8 bits of precision. This type replaces the toolkit's,
// so that the same source compiles without a toolkit.
#pragma once

#include <cstdint>
#include <cstring>

#include "kernels/device/host_device.h"

namespace melgrad {

struct bfloat16 {
  uint16_t bits;
};

MELGRAD_HOST_DEVICE inline float to_float(float value) { return value; }

MELGRAD_HOST_DEVICE inline float to_float(bfloat16 value) {
  const uint32_t bits = static_cast<uint32_t>(value.bits) << 16;
  float result;
  memcpy(&result, &bits, sizeof result);
  return result;
}

// from_float<T>(value) rounds to the nearest T, ties to even. NaN stays NaN.
template <class T>
MELGRAD_HOST_DEVICE T from_float(float value);

template <>
MELGRAD_HOST_DEVICE inline float from_float<float>(float value) {
  return value;
}

template <>
MELGRAD_HOST_DEVICE inline bfloat16 from_float<bfloat16>(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  constexpr uint32_t infinity = 0x7f800000, quiet = 0x400000;
  // Rounding could turn a NaN into infinity, so the lower half is cut off instead.
  if ((bits & 0x7fffffff) > infinity) return {static_cast<uint16_t>((bits | quiet) >> 16)};
  return {static_cast<uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16)};
}

}  // namespace melgrad
