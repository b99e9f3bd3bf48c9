#include "kernels/spectral_jitter.h"

#include "kernels/device/parallel.h"

namespace melgrad::kernel::cpu {

void spectral_jitter(Stream&, const void* x, const float* inverse_std, void* y, DType dtype, int64_t batch,
                     int64_t n_mels, int64_t frames, SpectralJitter settings, RandomStream random) {
  require_float32(dtype, "spectral_jitter");
  for_each_row(batch * n_mels, frames, [=](int64_t row) {
    const int64_t example = row / n_mels, mel = row % n_mels;
    const JitteredBin bin = jittered_bin(settings, random, n_mels, example, mel);
    const float gain = bin.gain * inverse_std[mel];
    const float* const from = static_cast<const float*>(x) + (example * n_mels + bin.source) * frames;
    float* const to = static_cast<float*>(y) + row * frames;
    for (int64_t t = 0; t < frames; ++t) to[t] = from[t] + gain;
  });
}

}  // namespace melgrad::kernel::cpu
