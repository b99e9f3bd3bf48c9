// The per-channel factors of batch normalisation on the CPU: shared by batch_norm.cpp, batch_norm_max_pool2d.cpp
// and batch_norm_sum.cpp.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "kernels/batch_norm.h"

namespace melgrad::kernel::cpu {

inline std::vector<float> inverse_std_of(const float* var, int64_t channels, float epsilon) {
  std::vector<float> inverse(static_cast<size_t>(channels));
  for (int64_t c = 0; c < channels; ++c) inverse[static_cast<size_t>(c)] = 1.0f / std::sqrt(var[c] + epsilon);
  return inverse;
}

inline std::vector<float> inverse_std_of(const BatchNormConstants& constants, int64_t channels) {
  if (!constants.inverse_std) return inverse_std_of(constants.var, channels, constants.epsilon);
  return {constants.inverse_std, constants.inverse_std + channels};
}

inline std::vector<float> scales(const float* gamma, const float* inverse_std, int64_t channels) {
  std::vector<float> scale(static_cast<size_t>(channels));
  for (int64_t c = 0; c < channels; ++c) scale[static_cast<size_t>(c)] = gamma[c] * inverse_std[c];
  return scale;
}

// z = (x - mean) * scale + beta. The form x * scale + shift would lose digits if |mean| is large.
struct Normalization {
  const float *mean, *scale, *beta;
  float operator()(float x, int64_t channel) const { return (x - mean[channel]) * scale[channel] + beta[channel]; }
};

// The factors of dx = scale * (dz - offset - slope * (x - mean)). `share` is 1 / rows, or 0 if the statistics are
// constants.
struct DataGradient {
  std::vector<float> slope, offset;  // [channels]

  DataGradient(const float* inverse_std, const float* dgamma, const float* dbeta, float share, int64_t channels)
      : slope(static_cast<size_t>(channels)), offset(static_cast<size_t>(channels)) {
    for (int64_t c = 0; share != 0 && c < channels; ++c) {
      slope[static_cast<size_t>(c)] = inverse_std[c] * dgamma[c] * share;
      offset[static_cast<size_t>(c)] = dbeta[c] * share;
    }
  }
};

}  // namespace melgrad::kernel::cpu
