// Log-mel spectrograms of overlapping frames, the arithmetic of librosa's melspectrogram and power_to_db.
#pragma once

#include "kernels/device/kernel.h"

namespace melgrad::kernel {

// A sparse filter bank, [n_mels] rows: filter i weighs power bins first_bin[i] + 0, 1, ... by
// weights[offset[i]] ... weights[offset[i + 1] - 1].
struct MelFilters {
  int64_t n_mels;
  const int32_t* first_bin;  // [n_mels]
  const int32_t* offset;     // [n_mels + 1]
  const float* weights;
};

struct MelFrames {
  int64_t count, n_fft, hop_length;
};

// Frame t is samples[t * hop_length ... t * hop_length + n_fft - 1]; all of them must exist. window is [n_fft].
// db [n_mels, count] = 10 log10(max(1e-10, sum over bins of weight * |FFT(window * frame)|^2)), row-major.
// All arrays, those of `filters` included, lie in the stream's memory.
KERNEL(log_mel_spectrogram, const float* samples, const double* window, float* db, MelFilters filters, MelFrames frames)

// db[i] = max(db[i], max(db) - top_db): one clip's dynamic range, never a batch's.
KERNEL(limit_dynamic_range, float* db, int64_t n, float top_db)

}  // namespace melgrad::kernel
