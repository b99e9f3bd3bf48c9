// Products of some rows with 16 columns, whose sums stay in registers: what rungs 3 and 4 consist of. The shipped form
// is kernels/convolution/micro_kernel.h.
#pragma once

#include <algorithm>
#include <cstdint>

namespace melgrad::bench::ladder {

// A register of AVX2.
using Register [[gnu::vector_size(32), gnu::may_alias]] = float;
using UnalignedRegister [[gnu::vector_size(32), gnu::may_alias, gnu::aligned(4)]] = float;
constexpr int64_t register_lanes = 8, registers = 2, lanes = registers * register_lanes;
constexpr int64_t most_rows = 6;

inline Register load(const float* values) { return *reinterpret_cast<const UnalignedRegister*>(values); }
inline void store(float* values, Register lanes_to_store) {
  *reinterpret_cast<UnalignedRegister*>(values) = lanes_to_store;
}

// c[row][lane] = sum over groups g and steps k of a[row a_row + g a_group + k] b[g steps + k][lane].
struct Products {
  int64_t rows, groups, steps;
  const float* a;
  int64_t a_row, a_group;
  const float* b;  // [groups steps][16]
  float* c;
  int64_t c_row;
};

template <int64_t rows>
void add_rows(const Products& p, int64_t first) {
  Register sums[rows][registers] = {};
  const float* b = p.b;
  for (int64_t g = 0; g < p.groups; ++g) {
    const float* const a = p.a + first * p.a_row + g * p.a_group;
    for (int64_t k = 0; k < p.steps; ++k, b += lanes) {
      const Register low = load(b), high = load(b + register_lanes);
#pragma GCC unroll 6
      for (int64_t r = 0; r < rows; ++r) {
        sums[r][0] += a[r * p.a_row + k] * low;
        sums[r][1] += a[r * p.a_row + k] * high;
      }
    }
  }
#pragma GCC unroll 6
  for (int64_t r = 0; r < rows; ++r) {
    store(p.c + (first + r) * p.c_row, sums[r][0]);
    store(p.c + (first + r) * p.c_row + register_lanes, sums[r][1]);
  }
}

template <int64_t rows = most_rows>
void add_block(const Products& p, int64_t first, int64_t count) {
  if (count == rows) return add_rows<rows>(p, first);
  if constexpr (rows > 1) add_block<rows - 1>(p, first, count);
}

inline void add_products(const Products& p) {
  for (int64_t first = 0; first < p.rows; first += most_rows) {
    add_block(p, first, std::min(most_rows, p.rows - first));
  }
}

}  // namespace melgrad::bench::ladder
