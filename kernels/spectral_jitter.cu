// Spectral jitter.
//
// Memory traffic per element: 8 bytes in float32, 4 in 16 bits (x read, y written).
//
// A warp takes one mel bin of one example and moves 16 bytes per lane. Rows whose length is no multiple
// of 16 bytes are moved element by element.
#include "kernels/spectral_jitter.h"

#include "kernels/device/rows.cuh"

namespace melgrad::kernel::cuda {
namespace {

// A warp takes one mel bin of one example after another. All lanes draw the same jitter: one lane alone would take as
// long.
template <class T, int width>
__global__ void __launch_bounds__(row_threads)
    spectral_jitter_rows(const T* x, const float* inverse_std, T* y, int64_t rows, int64_t n_mels, int64_t frames,
                         SpectralJitter settings, RandomStream random) {
  constexpr int warps = row_threads / warp_size;
  const auto lane = static_cast<int64_t>(threadIdx.x % warp_size);
  for (int64_t row = static_cast<int64_t>(blockIdx.x) * warps + threadIdx.x / warp_size; row < rows;
       row += static_cast<int64_t>(gridDim.x) * warps) {
    const int64_t example = row / n_mels, mel = row % n_mels;
    const JitteredBin bin = jittered_bin(settings, random, n_mels, example, mel);
    const float gain = bin.gain * inverse_std[mel];
    const T* const from = x + (example * n_mels + bin.source) * frames;
    T* const to = y + row * frames;
    for (int64_t t = lane * width; t < frames; t += warp_size * width) {
      auto vector = load<width>(from + t);
      for (int k = 0; k < width; ++k) vector[k] = from_float<T>(to_float(vector[k]) + gain);
      store(to + t, vector);
    }
  }
}

}  // namespace

void spectral_jitter(Stream& stream, const void* x, const float* inverse_std, void* y, DType dtype, int64_t batch,
                     int64_t n_mels, int64_t frames, SpectralJitter settings, RandomStream random) {
  const int64_t rows = batch * n_mels;
  if (rows * frames == 0) return;
  constexpr int64_t most_blocks = 4096;
  const auto blocks = static_cast<unsigned>(std::min(most_blocks, ceil_divide<int64_t>(rows, row_threads / warp_size)));
  dispatch(dtype, frames, {x, y}, [&]<class T, int width>() {
    launch(spectral_jitter_rows<T, width>, blocks, row_threads, 0, stream, static_cast<const T*>(x), inverse_std,
           static_cast<T*>(y), rows, n_mels, frames, settings, random);
  });
}

}  // namespace melgrad::kernel::cuda
