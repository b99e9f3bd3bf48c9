#include "kernels/spec_augment.h"

#include <algorithm>

#include "kernels/device/parallel.h"

namespace melgrad::kernel::cpu {

void spec_augment(Stream&, void* x, DType dtype, int64_t batch, int64_t n_mels, int64_t frames, SpecAugment settings,
                  RandomStream random) {
  require_float32(dtype, "spec_augment");
  for_each_row(batch, n_mels * frames, [=](int64_t i) {
    float* const example = static_cast<float*>(x) + i * n_mels * frames;
    for (int64_t m = 0; m < settings.frequency_masks + settings.time_masks; ++m) {
      const SpecMask mask = spec_mask(settings, random, n_mels, frames, i, m);
      for (int64_t mel = mask.first_mel; mel < mask.first_mel + mask.mels; ++mel) {
        std::fill_n(example + mel * frames + mask.first_frame, mask.frames, 0.0f);
      }
    }
  });
}

}  // namespace melgrad::kernel::cpu
