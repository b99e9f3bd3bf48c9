// The steps from the definition of a convolution to the code that melgrad runs (docs/convolution.md). Each rung is one
// file and computes the same: a 3x3 convolution of stride 1 with a frame of zeros,
//   y[n, i, j, o] = sum over p, q, c of w[o, p, q, c] x[n, i + p - 1, j + q - 1, c]
// x is [batch, height, width, in_channels], w [out_channels, 3, 3, in_channels], y [batch, height, width,
// out_channels]. in_channels is a multiple of 8, out_channels of 16.
#pragma once

#include <cstdint>

namespace melgrad::bench::ladder {

struct Shape {
  int64_t batch, height, width, in_channels, out_channels;

  int64_t pixels() const { return batch * height * width; }
  int64_t weights() const { return out_channels * 9 * in_channels; }
  // Multiplications and additions of the definition. Winograd's algorithm needs fewer; the speeds that the program
  // prints count the definition's for all rungs.
  double flops() const { return 2.0 * static_cast<double>(pixels()) * static_cast<double>(weights()); }
};

void seven_loops_in_double(const float* x, const float* w, float* y, const Shape& shape);  // the reference for errors
void seven_loops(const float* x, const float* w, float* y, const Shape& shape);
void channels_in_lanes(const float* x, const float* w, float* y, const Shape& shape);
void sums_in_registers(const float* x, const float* w, float* y, const Shape& shape);
void winograd(const float* x, const float* w, float* y, const Shape& shape);

}  // namespace melgrad::bench::ladder
