// The 16-bit element types. These replace the toolkit's, so that the same source compiles without a toolkit.
//
// bfloat16 is the upper half of a float32: the same range with 8 bits of precision. float16 is the half of IEEE 754:
// 11 bits of precision, but only up to 65504, and below 2^-14 with fewer bits, down to 2^-24.
#pragma once

#include <cstdint>
#include <cstring>

#include "kernels/device/dtype.h"
#include "kernels/device/host_device.h"

namespace melgrad {

struct bfloat16 {
  uint16_t bits;
};
struct float16 {
  uint16_t bits;
};

namespace low_precision {

MELGRAD_HOST_DEVICE inline uint32_t bits_of(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}
MELGRAD_HOST_DEVICE inline float float_of(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

constexpr uint32_t sign_bit = 0x80000000, infinity = 0x7f800000;

}  // namespace low_precision

MELGRAD_HOST_DEVICE inline float to_float(float value) { return value; }

MELGRAD_HOST_DEVICE inline float to_float(bfloat16 value) {
  return low_precision::float_of(static_cast<uint32_t>(value.bits) << 16);
}

MELGRAD_HOST_DEVICE inline float to_float(float16 value) {
#ifdef __CUDA_ARCH__
  // With a 16-bit operand ("h"), ptxas spilled registers of two kernels.
  float result;
  asm("{.reg .b16 half; cvt.u16.u32 half, %1; cvt.f32.f16 %0, half;}" : "=f"(result) : "r"(uint32_t{value.bits}));
  return result;
#else
  using namespace low_precision;
  const uint32_t bits = value.bits, sign = (bits & 0x8000) << 16, magnitude = (bits & 0x7fff) << 13;
  constexpr uint32_t infinite_magnitude = 0x7c00 << 13;
  if (magnitude >= infinite_magnitude) return float_of(sign | infinity | magnitude);
  // The exponents are biased by 15 and 127. The product is exact for subnormal values too.
  return float_of(sign | bits_of(float_of(magnitude) * 0x1p112f));
#endif
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
  using namespace low_precision;
  const uint32_t bits = bits_of(value);
  constexpr uint32_t quiet = 0x400000;
  // Rounding could turn a NaN into infinity, so the lower half is cut off instead.
  if ((bits & ~sign_bit) > infinity) return {static_cast<uint16_t>((bits | quiet) >> 16)};
  return {static_cast<uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16)};
}

template <>
MELGRAD_HOST_DEVICE inline float16 from_float<float16>(float value) {
#ifdef __CUDA_ARCH__
  uint32_t result;
  asm("{.reg .b16 half; cvt.rn.f16.f32 half, %1; cvt.u32.u16 %0, half;}" : "=r"(result) : "f"(value));
  return {static_cast<uint16_t>(result)};
#else
  using namespace low_precision;
  const uint32_t sign = bits_of(value) & sign_bit, magnitude = bits_of(value) ^ sign;
  constexpr uint32_t half_infinity = 0x7c00, half_nan = 0x7e00, smallest_normal = (127 - 14) << 23;
  const auto with_sign = [sign](uint32_t half) { return float16{static_cast<uint16_t>(sign >> 16 | half)}; };
  if (magnitude > infinity) return with_sign(half_nan);
  if (magnitude >= bits_of(65520.0f)) return with_sign(half_infinity);  // halfway to the next power of two, and above
  // A float32 near 0.5 has the spacing of the subnormal halves, 2^-24, so this addition rounds to them.
  if (magnitude < smallest_normal) return with_sign(bits_of(float_of(magnitude) + 0.5f) - bits_of(0.5f));
  constexpr uint32_t bias = (127 - 15) << 23;
  return with_sign((magnitude - bias + 0xfff + ((magnitude >> 13) & 1)) >> 13);
#endif
}

// Calls body.operator()<T>() with the element type of `dtype`: float, bfloat16 or float16. Throws Error for others.
template <class Body>
auto dispatch_type(DType dtype, Body body) {
  switch (dtype) {
    case DType::float32:
      return body.template operator()<float>();
    case DType::bfloat16:
      return body.template operator()<bfloat16>();
    case DType::float16:
      return body.template operator()<float16>();
    default:
      fail("no kernel for elements of type {}", name_of(dtype));
  }
}

}  // namespace melgrad
