// Parallel loops over the elements of a row-major [rows, channels] matrix on the CPU: shared by the kernels of batch
// normalisation.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "kernels/device/parallel.h"

namespace melgrad::kernel::cpu {

// Enough elements to outweigh the cost of starting a task, few enough to stay in a core's cache.
constexpr int64_t elements_per_task = 1 << 15;

inline int64_t rows_in_chunk(int64_t channels) { return std::max<int64_t>(16, elements_per_task / channels); }

// `count` sums [channels] over the rows of each channel: term(element, channel, sums) adds the contribution of one
// element to double sums[count].
template <int count, class Term>
std::array<std::vector<double>, count> sum_columns(int64_t rows, int64_t channels, Term term) {
  const int64_t chunk_rows = rows_in_chunk(channels);
  const int64_t chunks = (rows + chunk_rows - 1) / chunk_rows;
  std::vector<double> partial(static_cast<size_t>(chunks * count * channels));
  for_each_chunk(rows, chunk_rows, [&](int64_t chunk, int64_t begin, int64_t end) {
    double* const of_chunk = partial.data() + chunk * count * channels;
    const auto add_rows = [=](int64_t row, int64_t n) {
#pragma omp simd
      for (int64_t c = 0; c < channels; ++c) {
        double sums[count] = {};
        for (int64_t i = 0; i < n; ++i) term((row + i) * channels + c, c, sums);
        for (int k = 0; k < count; ++k) of_chunk[k * channels + c] += sums[k];
      }
    };
    int64_t row = begin;
    for (; row + 4 <= end; row += 4) add_rows(row, 4);
    for (; row < end; ++row) add_rows(row, 1);
  });
  std::array<std::vector<double>, count> totals;
  for (int k = 0; k < count; ++k) {
    std::vector<double>& total = totals[static_cast<size_t>(k)];
    total.resize(static_cast<size_t>(channels));
    for (int64_t chunk = 0; chunk < chunks; ++chunk) {
      const double* const of_chunk = partial.data() + (chunk * count + k) * channels;
      for (int64_t c = 0; c < channels; ++c) total[static_cast<size_t>(c)] += of_chunk[c];
    }
  }
  return totals;
}

// Calls body(element, channel) for every element; the calls for one row must be independent.
template <class Body>
void for_each_element(int64_t rows, int64_t channels, Body body) {
  for_each_chunk(rows, rows_in_chunk(channels), [&](int64_t, int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
#pragma omp simd
      for (int64_t c = 0; c < channels; ++c) body(row * channels + c, c);
    }
  });
}

}  // namespace melgrad::kernel::cpu
