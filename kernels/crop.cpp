#include "kernels/crop.h"

#include <algorithm>

#include "kernels/device/parallel.h"

namespace melgrad::kernel::cpu {

void random_crop_starts(Stream&, const Clip* clips, const int64_t* picks, int64_t* starts, int64_t batch,
                        int64_t crop_frames, RandomStream random) {
  for (int64_t i = 0; i < batch; ++i) starts[i] = random_crop_start(clips[picks[i]], crop_frames, random, i);
}

void crop(Stream&, const Clip* clips, const int64_t* picks, const int64_t* starts, void* y, DType dtype, int64_t batch,
          int64_t n_mels, int64_t crop_frames, const float* mean, const float* inverse_std) {
  require_float32(dtype, "crop");
  for (int64_t i = 0; i < batch; ++i) {
    MELGRAD_CHECK(starts[i] >= 0 && starts[i] < clips[picks[i]].frames,
                  "crop: clip {} has {} frames, the crop starts at {}", picks[i], clips[picks[i]].frames, starts[i]);
  }
  for_each_row(batch * n_mels, crop_frames, [=](int64_t row) {
    const int64_t i = row / n_mels, mel = row % n_mels;
    const Clip& clip = clips[picks[i]];
    const float* const from = clip.db + mel * clip.frames;
    float* out = static_cast<float*>(y) + row * crop_frames;
    int64_t begin = starts[i];
    for (int64_t missing = crop_frames; missing > 0;) {
      const int64_t length = std::min(missing, clip.frames - begin);
      for (int64_t t = 0; t < length; ++t) out[t] = (from[begin + t] - mean[mel]) * inverse_std[mel];
      out += length;
      missing -= length;
      begin = 0;
    }
  });
}

}  // namespace melgrad::kernel::cpu
