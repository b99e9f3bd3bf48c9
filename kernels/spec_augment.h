// SpecAugment (Park et al. 2019) without time warping: sets ranges of mel bins and ranges of frames to zero.
#pragma once

#include "kernels/device/kernel.h"
#include "kernels/device/philox.h"

namespace melgrad::kernel {

struct SpecAugment {
  int64_t frequency_masks, frequency_width;  // number of masks, largest width in mel bins
  int64_t time_masks, time_width;            // number of masks, largest width in frames
};

// The mel bins and frames that a mask covers.
struct SpecMask {
  int64_t first_mel, mels, first_frame, frames;
};

MELGRAD_HOST_DEVICE inline SpecMask spec_mask(const SpecAugment& settings, const RandomStream& random, int64_t n_mels,
                                              int64_t frames, int64_t example, int64_t mask) {
  const bool frequency = mask < settings.frequency_masks;
  const int64_t axis = frequency ? n_mels : frames, most = frequency ? settings.frequency_width : settings.time_width;
  const auto masks = static_cast<uint64_t>(settings.frequency_masks + settings.time_masks);
  const Philox4 bits = random.draw(random.place(example) * masks + static_cast<uint64_t>(mask));
  const int64_t width = uniform_integer(bits.v[0], (most < axis ? most : axis) + 1);
  const int64_t begin = uniform_integer(bits.v[1], axis - width + 1);
  return frequency ? SpecMask{begin, width, 0, frames} : SpecMask{0, n_mels, begin, width};
}

// x [batch, n_mels, frames, 1] of `dtype`, in place. For each mask of each example, the width is uniform on
// {0, ..., min(largest width, axis)} and the start uniform on {0, ..., axis - width}. Masked values become 0, which is
// the mean of standardised features. Mask m of example i uses random.draw(i * (frequency_masks + time_masks) + m); the
// frequency masks come first.
KERNEL(spec_augment, void* x, DType dtype, int64_t batch, int64_t n_mels, int64_t frames, SpecAugment settings,
       RandomStream random)

}  // namespace melgrad::kernel
