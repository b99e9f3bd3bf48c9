// Log-mel spectrograms of overlapping frames, computed as librosa.feature.melspectrogram and librosa.power_to_db do.
#pragma once

#include <limits>

#include "kernels/device/kernel.h"

namespace melgrad::kernel {

// A sparse filter bank of n_mels filters with n_weights weights in all. Filter i multiplies the power bins
// first_bin[i], first_bin[i] + 1, ... by weights[offset[i]], ..., weights[offset[i + 1] - 1].
struct MelFilters {
  int64_t n_mels, n_weights;
  const int32_t* first_bin;  // [n_mels]
  const int32_t* offset;     // [n_mels + 1]
  const float* weights;      // [n_weights]
};

// The precision of the Fourier transforms. An error of float32 is relative to the loudest bin of its frame, so values
// far below the maximum of a clip suffer from it (LogMelSpectrogram tests).
enum class FftPrecision { float32, float64 };

// Frame t is samples[start + t * hop_length], ..., n_fft of them. Samples before 0 and from `length` on are zeros,
// which need not exist.
struct MelFrames {
  int64_t count, n_fft, hop_length;
  int64_t start = 0;
  int64_t length = std::numeric_limits<int64_t>::max();
  FftPrecision precision = FftPrecision::float64;  // CUDA always takes float64
};

inline std::string describe(const MelFilters& filters) {
  return fmt::format("{} filters, {} weights", filters.n_mels, filters.n_weights);
}
inline std::string describe(const MelFrames& frames) {
  return fmt::format("{} frames, n_fft {}, hop_length {}", frames.count, frames.n_fft, frames.hop_length);
}

// window is [n_fft]. db float32 [n_mels, count], row-major = 10 log10(max(1e-10, sum over bins of weight * |FFT(window
// * frame)|^2)). All arrays, those of `filters` included, lie in the stream's memory; window is aligned to 16 bytes,
// and db must not alias the inputs.
KERNEL(log_mel_spectrogram, const float* samples, const double* window, float* db, MelFilters filters, MelFrames frames)

// db[i] = max(db[i], max(db) - top_db), in place, for the n values of one clip.
KERNEL(limit_dynamic_range, float* db, int64_t n, float top_db)

}  // namespace melgrad::kernel
