#include "kernels/standardise.h"

#include <algorithm>
#include <limits>

#include "kernels/device/parallel.h"

namespace melgrad::kernel::cpu {

void limit_and_standardise(Stream&, const float* db, CropLayout layout, float top_db, const float* mean,
                           const float* inverse_std, void* y, DType dtype) {
  require_float32(dtype, "limit_and_standardise");
  const auto [batch, n_mels, frames, example_stride, mel_stride] = layout;
  for_each_task(batch, [=](int64_t example) {
    const float* const from = db + example * example_stride;
    float* to = static_cast<float*>(y) + example * n_mels * frames;
    float largest = -std::numeric_limits<float>::infinity();
    for (int64_t mel = 0; mel < n_mels; ++mel) {
      const float* const row = from + mel * mel_stride;
#pragma omp simd reduction(max : largest)
      for (int64_t t = 0; t < frames; ++t) largest = std::max(largest, row[t]);
    }
    const float floor = largest - top_db;
    for (int64_t mel = 0; mel < n_mels; ++mel, to += frames) {
      const float* const row = from + mel * mel_stride;
      for (int64_t t = 0; t < frames; ++t) to[t] = (std::max(row[t], floor) - mean[mel]) * inverse_std[mel];
    }
  });
}

}  // namespace melgrad::kernel::cpu
