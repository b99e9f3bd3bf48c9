// The kernels that fold the image and the filters of a convolution (fold_stride.h), and unfold the filters' gradient.
//
// Memory traffic in elements: the image is read once, and as much and its padding written; the filters are negligible.
#pragma once

#include "kernels/device/cuda.cuh"
#include "kernels/fold_stride.h"

namespace melgrad::kernel::cuda {

constexpr int fold_threads = 256;

// A thread writes a square: y[n, u, v, b, d] = x[n, 2 (u - padding) + b, 2 (v - padding) + d].
// `vector`: both pixels of a row are loaded at once; x must have an even width.
template <class T, bool vector>
__global__ void __launch_bounds__(fold_threads) fold_image(const T* x, T* y, FoldedStride fold) {
  const Conv2d &image = fold.conv, &folded = fold.folded;
  const unsigned square = blockIdx.x * fold_threads + threadIdx.x, across = static_cast<unsigned>(folded.width),
                 down = static_cast<unsigned>(folded.height);  // 32 bits, because a GPU divides 64 bits slowly
  if (square >= folded.batch * folded.height * folded.width) return;
  const unsigned row = square / across, sample = row / down;
  const int64_t v = square % across, u = row % down;
  const int64_t top = 2 * (u - fold.padding), left = 2 * (v - fold.padding);
  Vector<T, 4> result;
  for (int b = 0; b < 2; ++b) {
    const bool inside = top + b >= 0 && top + b < image.height;
    const T* const from = x + (sample * image.height + top + b) * image.width + left;
    if constexpr (vector) {
      Vector<T, 2> pixels{from_float<T>(0), from_float<T>(0)};
      if (inside && left >= 0 && left < image.width) pixels = load<2>(from);
      result[2 * b] = pixels[0];
      result[2 * b + 1] = pixels[1];
    } else {
      for (int d = 0; d < 2; ++d) {
        const bool there = inside && left + d >= 0 && left + d < image.width;
        result[2 * b + d] = there ? from[d] : from_float<T>(0);
      }
    }
  }
  store(y + int64_t{4} * square, result);
}

// The element of the kernel that belongs to an element of the folded kernel, or -1.
__device__ inline int64_t unfolded_element(const FoldedStride& fold, int64_t i) {
  const int64_t d = i % 2, b = i / 2 % 2, place = i / 4;
  const int64_t e = place % fold.folded.kernel_width, a = place / fold.folded.kernel_width % fold.folded.kernel_height,
                filter = place / (fold.folded.kernel_width * fold.folded.kernel_height);
  const int64_t r = 2 * a + b - fold.shift, s = 2 * e + d - fold.shift;
  if (r < 0 || r >= fold.conv.kernel_height || s < 0 || s >= fold.conv.kernel_width) return -1;
  return (filter * fold.conv.kernel_height + r) * fold.conv.kernel_width + s;
}

template <class T>
__global__ void __launch_bounds__(fold_threads) fold_kernel(const T* w, T* folded, FoldedStride fold) {
  const int64_t i = int64_t{blockIdx.x} * fold_threads + threadIdx.x;
  if (i >= fold.kernel_elements()) return;
  const int64_t from = unfolded_element(fold, i);
  folded[i] = from < 0 ? from_float<T>(0) : w[from];
}

template <class T>
__global__ void __launch_bounds__(fold_threads) unfold_kernel(const T* folded, T* w, FoldedStride fold) {
  const int64_t i = int64_t{blockIdx.x} * fold_threads + threadIdx.x;
  if (i >= fold.kernel_elements()) return;
  const int64_t to = unfolded_element(fold, i);
  if (to >= 0) w[to] = folded[i];
}

}  // namespace melgrad::kernel::cuda
