// y += bias in each row of y: the last step of a layer with a bias.
//
// Memory traffic per element of y: 8 bytes in float32, 4 in 16 bits (read and written). A thread keeps the bias of its
// channels in registers.
#pragma once

#include "kernels/device/column_reduce.cuh"

namespace melgrad::kernel::cuda {

template <class T, int width>
__global__ void __launch_bounds__(reduce_threads)
    add_bias(T* y, const float* bias, int64_t rows, int64_t channels, int64_t rows_per_chunk) {
  const Visit<width> visit(rows, channels, rows_per_chunk);
  if (visit.empty()) return;
  const PerChannel<width> shift(bias, visit.channel);
  visit.for_each_row(
      channels, [&](int64_t i) { return load<width>(y + i); },
      [&](int64_t i, Vector<T, width> values) {
        for (int c = 0; c < width; ++c) values[c] = from_float<T>(to_float(values[c]) + shift[c]);
        store(y + i, values);
      });
}

// y [rows, channels] of `dtype`; bias is float32 [channels], or null for none.
inline void launch_add_bias(Stream& stream, void* y, const float* bias, DType dtype, int64_t rows, int64_t channels) {
  if (!bias || rows * channels == 0) return;
  dispatch(dtype, channels, {y, bias}, [&]<class T, int width>() {
    const Cut cut(rows, channels, width);
    launch(add_bias<T, width>, cut.grid(), cut.block(), 0, stream, static_cast<T*>(y), bias, rows, channels,
           cut.rows_per_chunk);
  });
}

}  // namespace melgrad::kernel::cuda
