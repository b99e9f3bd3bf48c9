// SpecAugment (Park et al. 2019) without time warping: bands of mel bins and stretches of frames are masked out.
#pragma once

#include "kernels/kernel.h"
#include "kernels/philox.h"

namespace melgrad::kernel {

struct SpecAugment {
  int64_t frequency_masks, frequency_width;  // how many, and the most mel bins of one
  int64_t time_masks, time_width;            // how many, and the most frames of one
};

// x [batch, n_mels, frames, 1] of `dtype`, in place. Per example and mask the width is uniform on {0, ..., most} (most
// is cut to the axis) and the start uniform on {0, ..., axis - width}; masked values become 0, the mean of standardised
// features. Mask m of example i uses random.draw(i * (frequency_masks + time_masks) + m), frequency masks first.
HOST_KERNEL(spec_augment, void* x, DType dtype, int64_t batch, int64_t n_mels, int64_t frames, SpecAugment settings,
            RandomStream random)

}  // namespace melgrad::kernel
