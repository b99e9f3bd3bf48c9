// Statistics of a spectrogram over time: for each band of neighbouring mel bins its mean and its deviations at four
// time scales. The mean and deviation of a spectrum classified music before neural networks (Tzanetakis and Cook 2002);
// several time scales tell tones from beats.
//
// v is the mean of a band in a frame; p, e and g are the means of v over the 2, 8 and 32 frames around it, in groups
// that begin at the first frame (the last group of each size may be shorter); m is the mean over all frames. The
// statistics are m and log(deviation + 0.01) for four deviations: the root mean square over all frames of v - p, p - e,
// e - g and g - m. Their squares add up to the variance of v. 0.01 keeps silence finite; the features are standardised,
// so it is a hundredth of the deviation of a mel bin.
#pragma once

#include <cmath>

#include "kernels/adaptive_avg_pool2d.h"
#include "kernels/device/host_device.h"
#include "kernels/device/kernel.h"

namespace melgrad::kernel {

struct BandStatistics {
  static constexpr int64_t count = 5;  // statistics of a band
  int64_t images, n_mels, frames, bands;

  // The mel bins of a band, as adaptive pooling divides them.
  MELGRAD_HOST_DEVICE AdaptiveWindow bins(int64_t band) const { return {band, n_mels, bands}; }
};

inline std::string describe(const BandStatistics& s) {
  return fmt::format("{}x{}x{}, {} bands", s.images, s.n_mels, s.frames, s.bands);
}

// Sums over the frames of one band. g - g0, where g0 is the first g, is small if the band varies little, so the
// variance of g loses no digits to the mean.
struct BandSums {
  float v_p = 0, p_e = 0, e_g = 0;  // squares of the differences
  float g_g0 = 0, squares = 0;      // sum and sum of squares of g - g0

  // statistics[k * stride], k = 0 to 4
  MELGRAD_HOST_DEVICE void write(float g0, float frames, float* statistics, int64_t stride) const {
    constexpr float floor = 0.01f;
    const float shift = g_g0 / frames;
    const float variance = squares / frames - shift * shift;
    statistics[0] = g0 + shift;
    statistics[stride] = logf(sqrtf(v_p / frames) + floor);
    statistics[2 * stride] = logf(sqrtf(p_e / frames) + floor);
    statistics[3 * stride] = logf(sqrtf(e_g / frames) + floor);
    statistics[4 * stride] = logf(sqrtf(variance > 0 ? variance : 0) + floor);
  }
};

// x [images, n_mels, frames] -> y [images, 5, bands]. At least one frame.
KERNEL(band_statistics, const float* x, float* y, BandStatistics size)

}  // namespace melgrad::kernel
