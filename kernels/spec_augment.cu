// SpecAugment.
//
// Memory traffic per masked element: 4 bytes written in float32, 2 in 16 bits. Nothing is read.
//
// Every warp draws all masks of its example itself, which is faster than a kernel that stores them. Elements where
// masks overlap are zeroed more than once, also by different blocks. This race is harmless, because all of them write
// 0.
#include "kernels/spec_augment.h"

#include <algorithm>

#include "kernels/device/cuda.cuh"

namespace melgrad::kernel::cuda {
namespace {

constexpr int warps = 8, mels_per_warp = 4;

// blockIdx.x is the example; each warp takes some mel bins of every mask.
template <class T>
__global__ void __launch_bounds__(warps* warp_size)
    spec_augment_masks(T* x, int64_t n_mels, int64_t frames, SpecAugment settings, RandomStream random) {
  T* const example = x + blockIdx.x * n_mels * frames;
  for (int64_t m = 0; m < settings.frequency_masks + settings.time_masks; ++m) {
    const SpecMask mask = spec_mask(settings, random, n_mels, frames, blockIdx.x, m);
    for (int64_t i = static_cast<int64_t>(blockIdx.y) * warps + threadIdx.y; i < mask.mels; i += gridDim.y * warps) {
      T* const row = example + (mask.first_mel + i) * frames + mask.first_frame;
      for (int64_t t = threadIdx.x; t < mask.frames; t += warp_size) row[t] = from_float<T>(0.0f);
    }
  }
}

}  // namespace

void spec_augment(Stream& stream, void* x, DType dtype, int64_t batch, int64_t n_mels, int64_t frames,
                  SpecAugment settings, RandomStream random) {
  if (batch * n_mels * frames == 0) return;
  const int64_t blocks = std::min<int64_t>(65535, ceil_divide<int64_t>(n_mels, warps * mels_per_warp));
  dispatch_type(dtype, [&]<class T>() {
    launch(spec_augment_masks<T>, dim3(static_cast<unsigned>(batch), static_cast<unsigned>(blocks)),
           dim3(warp_size, warps), 0, stream, static_cast<T*>(x), n_mels, frames, settings, random);
  });
}

}  // namespace melgrad::kernel::cuda
