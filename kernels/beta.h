// The Beta(alpha, alpha) distribution as X / (X + Y) of two Gamma(alpha) variates.
#pragma once

#include <cmath>

#include "kernels/device/error.h"
#include "kernels/device/philox.h"

namespace melgrad {

// The logarithm of a Gamma(alpha) variate, by the rejection method of Marsaglia & Tsang 2000 ("A simple method for
// generating gamma variables"). For alpha < 1 it is a Gamma(alpha + 1) variate times U^(1 / alpha) (section 6 of the
// paper). The logarithm is returned because the variate underflows for small alpha. Attempt k uses
// random.draw(index * 2^20 + k).
MELGRAD_HOST_DEVICE inline double log_gamma_variate(const RandomStream& random, uint64_t index, double alpha) {
  constexpr double two_pi = 6.283185307179586;
  const double d = (alpha < 1 ? alpha + 1 : alpha) - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  for (uint64_t attempt = 0;; ++attempt) {
    const Philox4 bits = random.draw((index << 20) + attempt);
    double u[4];  // on (0, 1]
    for (int i = 0; i < 4; ++i) u[i] = 1 - static_cast<double>(uniform(bits.v[i]));
    const double normal = std::sqrt(-2 * std::log(u[0])) * std::cos(two_pi * u[1]);
    const double root = 1 + c * normal, v = root * root * root;
    if (v > 0 && std::log(u[2]) < normal * normal / 2 + d - d * v + d * std::log(v)) {
      return std::log(d * v) + (alpha < 1 ? std::log(u[3]) / alpha : 0);
    }
  }
}

// Uses the gamma variates of indices 2 * index and 2 * index + 1.
MELGRAD_HOST_DEVICE inline float beta(const RandomStream& random, uint64_t index, float alpha) {
  const double log_x = log_gamma_variate(random, 2 * index, static_cast<double>(alpha));
  const double log_y = log_gamma_variate(random, 2 * index + 1, static_cast<double>(alpha));
  return static_cast<float>(1 / (1 + std::exp(log_y - log_x)));
}

// Throws Error unless alpha is above 0.
inline void require_mixable(float alpha, const char* kernel_name) {
  MELGRAD_CHECK(alpha > 0, "{}: alpha {} is not above 0", kernel_name, alpha);
}

}  // namespace melgrad
