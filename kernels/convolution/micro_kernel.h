// The product of a few rows with 16 columns, which all arithmetic of the convolutions consists of. Its sums stay in
// registers: for each step it loads the 16 values of b once and multiplies them by one value of each row. Six rows of
// two AVX2 registers are twelve sums, enough to keep both multipliers busy while results are pending (4 cycles each),
// and leave registers for the operands.
#pragma once

#include "kernels/convolution/vector.h"

namespace melgrad::kernel::convolution::MELGRAD_LEVEL {

constexpr int64_t vectors = panel / lanes;
constexpr int64_t most_rows = MELGRAD_REGISTERS / vectors;

// `count` rows of a product. row_stride and step_stride are a_row and a_step where the compiler can know them, or 0.
template <int64_t count, int64_t row_stride, int64_t step_stride>
[[gnu::always_inline]] inline void multiply_rows(const Product& p, int64_t row) {
  const int64_t a_row = row_stride ? row_stride : p.a_row, a_step = step_stride ? step_stride : p.a_step;
  float* const c = p.c + row * p.c_row;
  Vector sums[count][vectors];
#pragma GCC unroll 32
  for (int64_t m = 0; m < count; ++m) {
#pragma GCC unroll 4
    for (int64_t v = 0; v < vectors; ++v) sums[m][v] = p.start ? load(p.start + v * lanes) : Vector{};
  }
  const float *group = p.a + row * a_row, *b = p.b;
  for (int64_t g = 0; g < p.groups; ++g, group += p.a_group) {
    const float* a = group;
#pragma GCC unroll 2
    for (int64_t k = 0; k < p.inner; ++k, a += a_step, b += panel) {
      Vector columns[vectors];
#pragma GCC unroll 4
      for (int64_t v = 0; v < vectors; ++v) columns[v] = load(b + v * lanes);
#pragma GCC unroll 32
      for (int64_t m = 0; m < count; ++m) {
        const float factor = a[m * a_row];
#pragma GCC unroll 4
        for (int64_t v = 0; v < vectors; ++v) sums[m][v] += factor * columns[v];
      }
    }
  }
#pragma GCC unroll 32
  for (int64_t m = 0; m < count; ++m) {
#pragma GCC unroll 4
    for (int64_t v = 0; v < vectors; ++v) {
      // Added last: a long sum of short sums rounds less than one long sum.
      if (p.accumulate) sums[m][v] += load_part(c + m * p.c_row + v * lanes, p.columns - v * lanes);
      store_part(c + m * p.c_row + v * lanes, sums[m][v], p.columns - v * lanes);
    }
  }
}

// Rows [begin, end), at most `count` of them: the first call passes as many as fit the registers.
template <int64_t count, int64_t row_stride, int64_t step_stride>
void multiply_block(const Product& p, int64_t begin, int64_t end) {
  if constexpr (count > 0) {
    if (end - begin == count) {
      multiply_rows<count, row_stride, step_stride>(p, begin);
    } else {
      multiply_block<count - 1, row_stride, step_stride>(p, begin, end);
    }
  }
}

// Divides the rows into blocks of nearly equal size, so that no block is left with too few sums to be fast.
template <int64_t row_stride, int64_t step_stride>
void multiply_all(const Product& p) {
  const int64_t blocks = (p.rows + most_rows - 1) / most_rows;
  for (int64_t i = 0; i < blocks; ++i) {
    multiply_block<most_rows, row_stride, step_stride>(p, p.rows * i / blocks, p.rows * (i + 1) / blocks);
  }
}

inline void multiply(const Product& p) {
  if (p.a_row == panel && p.a_step == 1) return multiply_all<panel, 1>(p);
  if (p.a_row == 1 && p.a_step == panel) return multiply_all<1, panel>(p);
  if (p.a_step == 1) return multiply_all<0, 1>(p);
  return multiply_all<1, 0>(p);
}

// As many independent sums as the product of multiply() keeps in registers, so that none waits for another.
inline void multiply_add_registers(int64_t steps, float* values) {
  const Vector factor = Vector{} + values[0], summand = Vector{} + values[1];
  Vector sums[MELGRAD_REGISTERS];
#pragma GCC unroll 32
  for (int64_t m = 0; m < MELGRAD_REGISTERS; ++m) sums[m] = summand + static_cast<float>(m);
  for (int64_t k = 0; k < steps; ++k) {
#pragma GCC unroll 32
    for (Vector& sum : sums) sum = sum * factor + summand;
  }
  Vector total{};
#pragma GCC unroll 32
  for (const Vector& sum : sums) total += sum;
  values[0] = total[0];
}

}  // namespace melgrad::kernel::convolution::MELGRAD_LEVEL
