// Random changes of a log-mel spectrogram that keep its label: a shift in pitch, another frequency response,
// another level. In decibels a frequency response is a curve over the mel bins that is added to every frame, as in
// FilterAugment (Nam et al. 2022).
#pragma once

#include <cmath>

#include "kernels/device/kernel.h"
#include "kernels/device/philox.h"

namespace melgrad::kernel {

struct SpectralJitter {
  int64_t shift;    // mel bins: the spectrum moves by an amount uniform on {-shift, ..., shift}
  float equalizer;  // dB: standard deviation of the response curve at each knot; the curve is linear between knots
  float level;      // dB: all bins change by an amount uniform on [-level, level)
  static constexpr int64_t knots = 5;  // evenly spaced over the mel bins, so that the curve is smooth

  MELGRAD_HOST_DEVICE bool none() const { return shift == 0 && equalizer == 0 && level == 0; }
};

// The source bin of an output mel bin, and the decibels added to it. Beyond the ends of the mel axis, the first and the
// last bin are repeated. Knot k of example i uses random.draw(i * knots + k); draw i * knots also gives shift and
// level.
struct JitteredBin {
  int64_t source;
  float gain;
};

MELGRAD_HOST_DEVICE inline JitteredBin jittered_bin(const SpectralJitter& settings, const RandomStream& random,
                                                    int64_t n_mels, int64_t example, int64_t mel) {
  constexpr float two_pi = 6.2831853f;
  const auto draw = [&](int64_t k) {
    return random.draw(random.place(example) * SpectralJitter::knots + static_cast<uint64_t>(k));
  };
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

// y[i, mel, t] = x[i, source, t] + gain * inverse_std[mel] with source and gain = jittered_bin(...). x, y
// [batch, n_mels, frames, 1] of `dtype`; they must not alias. x is standardised: it was multiplied by inverse_std
// float32 [n_mels], which therefore converts decibels to its unit.
KERNEL(spectral_jitter, const void* x, const float* inverse_std, void* y, DType dtype, int64_t batch, int64_t n_mels,
       int64_t frames, SpectralJitter settings, RandomStream random)

}  // namespace melgrad::kernel
