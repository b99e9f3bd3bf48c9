// Samples of synthetic sounds.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernels/device/philox.h"

namespace melgrad::test {

// A sine of amplitude 0.5.
inline std::vector<float> sine(double hertz, double seconds, int rate) {
  std::vector<float> samples(static_cast<size_t>(seconds * rate));
  for (size_t i = 0; i < samples.size(); ++i) {
    samples[i] = static_cast<float>(0.5 * std::sin(2 * std::numbers::pi * hertz * static_cast<double>(i) / rate));
  }
  return samples;
}

// The signals of tests/fixtures/make_log_mel.py by the same formulas: "noise", "sweep", "chord", "clicks", "constant"
// or "silence". The samples are multiples of 2^-15, so that both programs compute the same bits.
inline std::vector<float> synthetic_signal(const std::string& name, int rate, double seconds) {
  const auto n = static_cast<int64_t>(rate * seconds);
  std::vector<float> signal;
  uint32_t state = 1;
  for (int64_t i = 0; i < n; ++i) {
    const double t = static_cast<double>(i) / rate, turn = 2 * std::numbers::pi;
    double x = 0;
    if (name == "noise") {
      state = 1664525u * state + 1013904223u;
      signal.push_back(static_cast<float>((static_cast<int>(state >> 16) - 32768) / 32768.0));
      continue;
    } else if (name == "sweep") {
      x = 0.8 * std::sin(turn * (50 * t + (0.45 * rate - 50) / (2 * seconds) * t * t));
    } else if (name == "chord") {
      for (const double hz : {220.0, 277.18, 329.63, 1760.0}) x += 0.2 * std::sin(turn * hz * t);
    } else if (name == "clicks") {
      x = i % (rate / 4) == 100 ? 0.9 : 0.0;
    } else if (name == "constant") {
      x = 0.25;
    } else if (name != "silence") {
      throw std::invalid_argument(name);
    }
    signal.push_back(static_cast<float>(std::floor(x * 32767 + 0.5) / 32768));
  }
  return signal;
}

// Four voices of tones whose pitch, length and volume are random: signals of different seeds have nothing in common.
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
      // Four overtones fill the bands as those of an instrument do.
      for (int k = 1; k <= 4; ++k) samples[i] += static_cast<float>(volume / k * std::sin(k * phase));
    }
  }
  return samples;
}

inline std::vector<float> scaled(std::vector<float> samples, float gain) {
  for (float& sample : samples) sample *= gain;
  return samples;
}

}  // namespace melgrad::test
