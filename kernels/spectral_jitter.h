// Random changes of a spectrogram that leave the genre alone: the same music a little higher or lower, through another
// microphone or mixing desk, at another volume. In decibels a filter is a curve over the mel bins that is added to
// every frame, as in FilterAugment (Nam et al. 2022).
#pragma once

#include <cmath>

#include "kernels/device/kernel.h"
#include "kernels/device/philox.h"

namespace melgrad::kernel {

struct SpectralJitter {
  int64_t shift;    // of the spectrum along the mel axis: uniform on {-shift, ..., shift} bins
  float equalizer;  // standard deviation of the filter's curve at each of its knots, in dB; linear between them
  float level;      // of all bins alike: uniform on [-level, level) dB
  static constexpr int64_t knots = 5;  // evenly spaced over the mel bins: slopes and broad bumps, no notes

  MELGRAD_HOST_DEVICE bool none() const { return shift == 0 && equalizer == 0 && level == 0; }
};

// Where a mel bin of an example comes from, and what it gains, in dB. Beyond the ends of the mel axis its first and
// last bin go on. Knot k of example i uses random.draw(i * knots + k), the first of them for shift and level too.
struct JitteredBin {
  int64_t source;
  float gain;
};

MELGRAD_HOST_DEVICE inline JitteredBin jittered_bin(const SpectralJitter& settings, const RandomStream& random,
                                                    int64_t n_mels, int64_t example, int64_t mel) {
  constexpr float two_pi = 6.2831853f;
  const auto draw = [&](int64_t k) { return random.draw(static_cast<uint64_t>(example * SpectralJitter::knots + k)); };
  const auto knot = [&](int64_t k) {  // Box and Muller 1958; 1 - u lies in (0, 1]
    const Philox4 bits = draw(k);
    return std::sqrt(-2 * std::log(1 - uniform(bits.v[0]))) * std::cos(two_pi * uniform(bits.v[1]));
  };
  const int64_t last = n_mels > 1 ? n_mels - 1 : 1, position = mel * (SpectralJitter::knots - 1);
  const int64_t left = position / last, right = left + 1 < SpectralJitter::knots ? left + 1 : left;
  const float share = static_cast<float>(position % last) / static_cast<float>(last);
  const Philox4 common = draw(0);
  const int64_t source = mel + uniform_integer(common.v[3], 2 * settings.shift + 1) - settings.shift;
  return {source < 0 ? 0 : (source < n_mels ? source : n_mels - 1),
          settings.equalizer * ((1 - share) * knot(left) + share * knot(right)) +
              settings.level * (2 * uniform(common.v[2]) - 1)};
}

// x -> y [batch, n_mels, frames, 1] of `dtype`, standardised; they must not alias. inverse_std float32 [n_mels]
// is what the features were multiplied by, so what a dB is in each bin.
KERNEL(spectral_jitter, const void* x, const float* inverse_std, void* y, DType dtype, int64_t batch, int64_t n_mels,
       int64_t frames, SpectralJitter settings, RandomStream random)

}  // namespace melgrad::kernel
