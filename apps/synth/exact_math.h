// Elementary functions made only of +, -, *, / and exact scaling. Results of the math library differ in the last bits
// between versions and processors. The results of these functions do not, so a seed gives the same music on every
// machine.
#pragma once

#include <cmath>

namespace melgrad::synth {

// The fractional part of a phase in cycles, for phases above -4096.
inline float wrap(float cycles) { return cycles - static_cast<float>(static_cast<int>(cycles + 4096.0f) - 4096); }

// sin(2 pi phase) for a phase in [0, 1]; Taylor series on a quarter wave, error below 4e-6.
inline float sine(float phase) {
  float x = phase - 0.5f;
  x = x > 0.25f ? 0.5f - x : (x < -0.25f ? -0.5f - x : x);
  const float y = 6.28318531f * x, s = y * y;
  return -y * (1 + s * (-1.0f / 6 + s * (1.0f / 120 + s * (-1.0f / 5040 + s * (1.0f / 362880)))));
}

// 2^x, error below 1e-7 relative.
inline float exp2(float x) {
  const float whole = std::floor(x);
  const float y = 0.693147181f * (x - whole);
  float sum = 1;
  for (int n = 9; n > 0; --n) sum = 1 + sum * y / static_cast<float>(n);
  return std::ldexp(sum, static_cast<int>(whole));
}

inline float gain_of_db(float db) { return exp2(db * 0.166096405f); }

inline float hertz_of_midi(float pitch) { return 440 * exp2((pitch - 69) / 12); }

// Factor per sample that halves a level every `half_life` seconds.
inline float decay_of_half_life(float half_life, float sample_rate) { return exp2(-1 / (half_life * sample_rate)); }

// tan(pi f / fs), the warped frequency of a bilinear filter. f is limited to 0.45 fs to keep the filter stable.
inline float warped_frequency(float hertz, float sample_rate) {
  const float half_turns = hertz < 0.45f * sample_rate ? hertz / sample_rate : 0.45f;
  return sine(0.5f * half_turns) / sine(0.5f * half_turns + 0.25f);
}

// Pade approximant of tanh. It reaches 1 at |x| = 3 with slope 0 and is constant beyond.
inline float saturate(float x) {
  if (x > 3) return 1;
  if (x < -3) return -1;
  return x * (27 + x * x) / (27 + 9 * x * x);
}

}  // namespace melgrad::synth
