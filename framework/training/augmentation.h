// What is done to a training batch so that the model sees no example twice the same.
#pragma once

#include "framework/data/clip_store.h"
#include "kernels/spec_augment.h"

namespace melgrad {

struct Augmentation {
  kernel::SpecAugment spec_augment{.frequency_masks = 2, .frequency_width = 16, .time_masks = 2, .time_width = 32};
  float mixup_alpha = 0.3f;  // 0: no mixup
};

// SpecAugment in place, then mixup. The batch is in random order already.
Batch augment(Batch batch, const Augmentation& settings, Generator& generator);

}  // namespace melgrad
