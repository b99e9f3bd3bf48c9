#include "kernels/arithmetic.h"

#include "kernels/device/elementwise.h"

namespace melgrad::kernel::cpu {

void add(Stream&, const void* a, const void* b, void* y, DType dtype, int64_t n) {
  run_elementwise(
      "add", dtype, n, [](float left, float right) { return left + right; }, y, a, b);
}

void sub(Stream&, const void* a, const void* b, void* y, DType dtype, int64_t n) {
  run_elementwise(
      "sub", dtype, n, [](float left, float right) { return left - right; }, y, a, b);
}

void mul(Stream&, const void* a, const void* b, void* y, DType dtype, int64_t n) {
  run_elementwise(
      "mul", dtype, n, [](float left, float right) { return left * right; }, y, a, b);
}

void negate(Stream&, const void* x, void* y, DType dtype, int64_t n) {
  run_elementwise(
      "negate", dtype, n, [](float value) { return -value; }, y, x);
}

void scale(Stream&, const void* x, const float* factor, void* y, DType dtype, int64_t n) {
  run_elementwise(
      "scale", dtype, n, [by = *factor](float value) { return value * by; }, y, x);
}

}  // namespace melgrad::kernel::cpu
