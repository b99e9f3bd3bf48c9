// Trapezoidal state-variable filter (A. Simper, "Linear trapezoidal integrated state variable filter", 2013). It stays
// stable while its frequency changes.
#pragma once

#include "apps/synth/exact_math.h"

namespace melgrad::synth {

class Filter {
 public:
  static Filter low_pass(float hertz, float q, float sample_rate) { return {hertz, 1 / q, sample_rate, 0, 0, 1}; }
  static Filter high_pass(float hertz, float q, float sample_rate) {
    return {hertz, 1 / q, sample_rate, 1, -1 / q, -1};
  }
  // Gain 1 at the centre.
  static Filter band_pass(float hertz, float q, float sample_rate) { return {hertz, 1 / q, sample_rate, 0, 1 / q, 0}; }
  static Filter bell(float hertz, float q, float db, float sample_rate) {
    const float a = gain_of_db(db / 2), k = 1 / (q * a);
    return {hertz, k, sample_rate, 1, k * (a * a - 1), 0};
  }
  static Filter low_shelf(float hertz, float db, float sample_rate) {
    const float a = gain_of_db(db / 2);
    return {hertz / std::sqrt(a), shelf_k, sample_rate, 1, shelf_k * (a - 1), a * a - 1};
  }
  static Filter high_shelf(float hertz, float db, float sample_rate) {
    const float a = gain_of_db(db / 2);
    return {hertz * std::sqrt(a), shelf_k, sample_rate, a * a, shelf_k * (1 - a) * a, 1 - a * a};
  }

  void tune(float hertz, float sample_rate) {
    const float g = warped_frequency(hertz, sample_rate);
    a1_ = 1 / (1 + g * (g + k_));
    a2_ = g * a1_;
    a3_ = g * a2_;
  }

  float operator()(float x) {
    const float v3 = x - low_state_;
    const float band = a1_ * band_state_ + a2_ * v3;
    const float low = low_state_ + a2_ * band_state_ + a3_ * v3;
    band_state_ = 2 * band - band_state_;
    low_state_ = 2 * low - low_state_;
    return direct_gain_ * x + band_gain_ * band + low_gain_ * low;
  }

 private:
  static constexpr float shelf_k = 1.41421356f;

  Filter(float hertz, float k, float sample_rate, float direct_gain, float band_gain, float low_gain)
      : k_(k), direct_gain_(direct_gain), band_gain_(band_gain), low_gain_(low_gain) {
    tune(hertz, sample_rate);
  }

  float k_, direct_gain_, band_gain_, low_gain_;
  float a1_ = 0, a2_ = 0, a3_ = 0;
  float band_state_ = 0, low_state_ = 0;
};

}  // namespace melgrad::synth
