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

// Adds `rows` rows of `width` channels to totals[count][channels].
template <int64_t width, class Sum, int count, class Term>
void add_block(int64_t row, int64_t rows, int64_t channel, int64_t channels, Term term, double* totals) {
  Sum sums[count][width] = {};
  for (int64_t i = 0; i < rows; ++i) {
    const int64_t element = (row + i) * channels + channel;
#pragma omp simd
    for (int64_t c = 0; c < width; ++c) {
      term(element + c, channel + c, [&](auto... values) {
        int k = 0;
        ((sums[k++][c] += values), ...);
      });
    }
  }
  for (int k = 0; k < count; ++k) {
    double* const total = totals + k * channels + channel;
    for (int64_t c = 0; c < width; ++c) total[c] += static_cast<double>(sums[k][c]);
  }
}

// `count` sums [channels] over the rows of each channel: term(element, channel, add) calls add once, with what one
// element contributes to each sum. Up to 16 rows are added in the type Sum, the rest in double precision.
template <class Sum, int count, class Term>
std::array<std::vector<double>, count> sum_columns(int64_t rows, int64_t channels, Term term) {
  constexpr int64_t block_rows = 16, block_channels = 16;  // their sums stay in registers
  const int64_t chunk_rows = rows_in_chunk(channels);
  const int64_t chunks = (rows + chunk_rows - 1) / chunk_rows;
  const int64_t chunk_totals = count * channels;
  std::vector<double> partial(static_cast<size_t>(chunks * chunk_totals));
  for_each_chunk(rows, chunk_rows, [&](int64_t chunk, int64_t begin, int64_t end) {
    double* const of_chunk = partial.data() + chunk * chunk_totals;
    for (int64_t row = begin; row < end; row += block_rows) {
      const int64_t n = std::min(block_rows, end - row);
      int64_t c = 0;
      for (; c + block_channels <= channels; c += block_channels) {
        add_block<block_channels, Sum, count>(row, n, c, channels, term, of_chunk);
      }
      for (; c < channels; ++c) add_block<1, Sum, count>(row, n, c, channels, term, of_chunk);
    }
  });
  std::array<std::vector<double>, count> totals;
  for (int k = 0; k < count; ++k) {
    std::vector<double>& total = totals[static_cast<size_t>(k)];
    total.resize(static_cast<size_t>(channels));
    for (int64_t chunk = 0; chunk < chunks; ++chunk) {
      const double* const of_chunk = partial.data() + chunk * chunk_totals + k * channels;
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
