// Cuts training examples of a fixed length out of log-mel spectrograms of any length, on the device that holds them.
#pragma once

#include "kernels/device/kernel.h"
#include "kernels/device/philox.h"

namespace melgrad::kernel {

// A log-mel spectrogram in decibels.
struct Clip {
  const float* db;  // [n_mels, frames]
  int64_t frames;
};

MELGRAD_HOST_DEVICE inline int64_t random_crop_start(const Clip& clip, int64_t crop_frames, const RandomStream& random,
                                                     int64_t example) {
  const int64_t last = clip.frames > crop_frames ? clip.frames - crop_frames : 0;
  return uniform_integer(random.draw(random.place(example)).v[0], last + 1);
}

// starts int64 [batch]: starts[i] is uniform on {0, ..., frames - crop_frames} of clip picks[i], or 0 if that clip is
// not longer than the crop. Example i uses random.draw(random.place(i)). picks is int64 [batch]; all arrays lie in the
// stream's memory.
KERNEL(random_crop_starts, const Clip* clips, const int64_t* picks, int64_t* starts, int64_t batch, int64_t crop_frames,
       RandomStream random)

// y [batch, n_mels, crop_frames, 1] of `dtype`: y[i, mel, t] = (db[mel, (starts[i] + t) mod frames] - mean[mel]) *
// inverse_std[mel], where db and frames are those of clip picks[i]. mean and inverse_std are float32 [n_mels]. y must
// not alias an input. Needs 0 <= starts[i] < frames: the CPU throws Error otherwise, the GPU does not check.
KERNEL(crop, const Clip* clips, const int64_t* picks, const int64_t* starts, void* y, DType dtype, int64_t batch,
       int64_t n_mels, int64_t crop_frames, const float* mean, const float* inverse_std)

}  // namespace melgrad::kernel
