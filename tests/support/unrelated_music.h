// Recordings that share nothing: sequences of tones of random pitch, length and strength, each from its own seed.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>
#include <vector>

#include "kernels/device/philox.h"

namespace melgrad::test {

// Four voices for `seconds` at `rate` Hz.
inline std::vector<float> unrelated_music(uint64_t seed, double seconds, int rate = 22050) {
  std::vector<float> samples(static_cast<size_t>(seconds * rate));
  for (uint64_t voice = 0; voice < 4; ++voice) {
    double hertz = 0, volume = 0, phase = 0;
    size_t until = 0;
    for (size_t i = 0; i < samples.size(); ++i) {
      if (i == until) {
        const Philox4 draw = philox(seed, i, voice);
        const auto uniform_draw = [&](int word) { return static_cast<double>(uniform(draw.v[word])); };
        hertz = 200 * std::pow(16, uniform_draw(0));
        volume = 0.1 * uniform_draw(1);
        until += static_cast<size_t>((0.1 + 0.4 * uniform_draw(2)) * rate);
      }
      phase += 2 * std::numbers::pi * hertz / rate;
      // Four overtones fill the bands as an instrument's do.
      for (int k = 1; k <= 4; ++k) samples[i] += static_cast<float>(volume / k * std::sin(k * phase));
    }
  }
  return samples;
}

}  // namespace melgrad::test
