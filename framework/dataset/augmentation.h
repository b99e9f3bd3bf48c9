// What is done to a training batch so that the model sees no example twice the same.
#pragma once

#include "framework/dataset/clip_store.h"
#include "kernels/spec_augment.h"
#include "kernels/spectral_jitter.h"

namespace melgrad {

struct Augmentation {
  kernel::SpectralJitter jitter{.shift = 4, .equalizer = 4, .level = 6};
  kernel::SpecAugment spec_augment{.frequency_masks = 2, .frequency_width = 16, .time_masks = 2, .time_width = 32};
  float mixup_alpha = 0.3f;  // 0: no mixup
};

// Spectral jitter, SpecAugment, then mixup. The batch is in random order already; inverse_std [n_mels]
// is what its features were multiplied by to standardise them.
Batch augment(Batch batch, const Tensor& inverse_std, const Augmentation& settings, Generator& generator);

}  // namespace melgrad
