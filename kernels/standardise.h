// The last step from decibels to the input of a model: limits the dynamic range of each crop and standardises.
#pragma once

#include "kernels/device/kernel.h"

namespace melgrad::kernel {

// Element (i, mel, t) of the decibels is db[i * example_stride + mel * mel_stride + t].
struct CropLayout {
  int64_t batch, n_mels, frames;
  int64_t example_stride, mel_stride;
};

// y [batch, n_mels, frames, 1] of `dtype`: y[i, mel, t] = (max(db, largest - top_db) - mean[mel]) * inverse_std[mel],
// where `largest` is the maximum of the crop, over its bins and frames. mean and inverse_std are float32 [n_mels]. y
// must not alias an input.
KERNEL(limit_and_standardise, const float* db, CropLayout layout, float top_db, const float* mean,
       const float* inverse_std, void* y, DType dtype)

}  // namespace melgrad::kernel
