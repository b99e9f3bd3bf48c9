// Random changes of a training batch, so that the model never sees exactly the same example twice.
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

// Applies spectral jitter, SpecAugment and mixup, in this order. The batch must be in random order. inverse_std
// [n_mels] holds the factors by which its features were standardised.
Batch augment(Batch batch, const Tensor& inverse_std, const Augmentation& settings, Generator& generator);

}  // namespace melgrad
