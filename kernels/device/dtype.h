// Element types. Activations and gradients are float32, bfloat16 or float16, counters uint64, positions and raw bytes
// uint8, everything else float32.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/device/error.h"

namespace melgrad {

enum class DType : uint8_t { float32, bfloat16, float16, uint64, uint8 };

constexpr const char* name_of(DType dtype) {
  switch (dtype) {
    case DType::float32:
      return "float32";
    case DType::bfloat16:
      return "bfloat16";
    case DType::float16:
      return "float16";
    case DType::uint64:
      return "uint64";
    case DType::uint8:
      return "uint8";
  }
  return "?";
}

constexpr size_t size_of(DType dtype) {
  switch (dtype) {
    case DType::float32:
      return 4;
    case DType::bfloat16:
    case DType::float16:
      return 2;
    case DType::uint64:
      return 8;
    case DType::uint8:
      return 1;
  }
  return 0;
}

constexpr bool is_activation_dtype(DType dtype) {
  return dtype == DType::float32 || dtype == DType::bfloat16 || dtype == DType::float16;
}

// Throws Error unless dtype is float32. The CPU kernels have no versions for 16 bits: they would be slower.
inline void require_float32(DType dtype, const char* kernel_name) {
  if (dtype != DType::float32)
    fail("{}: {} on the CPU is not supported; cast to float32 or use --precision fp32", kernel_name, name_of(dtype));
}

}  // namespace melgrad
