// Mixes the recordings of a batch in pairs, as in between-class learning (Tokozume, Ushiku & Harada 2018, "Learning
// from between-class examples for deep sound recognition"): the targets are mixed by a random ratio, the sounds so that
// their loudness has that ratio.
#pragma once

#include <cmath>

#include "kernels/beta.h"
#include "kernels/device/kernel.h"
#include "kernels/waveform_crop.h"

namespace melgrad::kernel {

// The factors of an example and of its partner. With p = 1 / (1 + 10^((level - partner_level) / 20) (1 - ratio) /
// ratio), the mixture is (p x + (1 - p) partner) / sqrt(p^2 + (1 - p)^2): equation (2) of the paper. The root keeps the
// energy of uncorrelated sounds.
struct MixingWeights {
  float own, partner;
};
MELGRAD_HOST_DEVICE inline MixingWeights mixing_weights(float ratio, float level, float partner_level) {
  const float loudness = std::pow(10.0f, (level - partner_level) / 20);
  const float own = ratio / (ratio + loudness * (1 - ratio)), partner = 1 - own;
  const float norm = 1 / std::sqrt(own * own + partner * partner);
  return {own * norm, partner * norm};
}

// Replaces two values of a pair by their mixtures.
MELGRAD_HOST_DEVICE inline void mix(float& a, float& b, MixingWeights of_a, MixingWeights of_b) {
  const float x = a, y = b;
  a = of_a.own * x + of_a.partner * y;
  b = of_b.own * y + of_b.partner * x;
}

// Changes y and `targets` in place. Example i and its partner batch - 1 - i, which is a random one because batches are
// shuffled, are both replaced by mixtures of the two; the middle of an odd batch stays. The ratio of example i is
// beta(mixing, mixing.place(i), alpha) (kernels/beta.h). Levels are those of the recordings plus the gains of
// waveform_crop, whose recordings, picks, shape, change and random numbers must be given. y is its output; targets is
// float32 [batch, classes]. Throws Error unless alpha > 0.
KERNEL(waveform_mix, const Recording* recordings, const int64_t* picks, float* y, float* targets, WaveformShape shape,
       int64_t classes, WaveformChange change, RandomStream random, float alpha, RandomStream mixing)

// The ratio of an example and the factors for it and its partner.
struct Mixture {
  float ratio;
  MixingWeights weights;
};
MELGRAD_HOST_DEVICE inline Mixture mixture_of(const Recording* recordings, const int64_t* picks, int64_t example,
                                              const WaveformShape& shape, const WaveformChange& change,
                                              const RandomStream& random, float alpha, const RandomStream& mixing) {
  const auto level = [&](int64_t i) {
    const Recording& recording = recordings[picks[i]];
    return recording.level + draw_waveform(recording, shape.length, i, change, random).gain;
  };
  const float ratio = beta(mixing, mixing.place(example), alpha);
  return {ratio, mixing_weights(ratio, level(example), level(shape.batch - 1 - example))};
}

}  // namespace melgrad::kernel
