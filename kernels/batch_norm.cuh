// The parts of batch normalisation that its kernels share: batch_norm.cu and batch_norm_max_pool2d.cu.
#pragma once

#include "kernels/batch_norm.h"
#include "kernels/device/column_reduce.cuh"
#include "kernels/relu.h"

namespace melgrad::kernel::cuda {

struct alignas(8) GradientSums {
  float d, d_x;  // sum of dz, sum of dz * (x - mean)

  __device__ void combine(const GradientSums& other) {
    d += other.d;
    d_x += other.d_x;
  }
};

__device__ inline float inverse_std_of(const BatchNormConstants& constants, int64_t channel) {
  return constants.inverse_std ? constants.inverse_std[channel] : 1 / sqrtf(constants.var[channel] + constants.epsilon);
}

// The factors of a thread's channels: z = (x - center) * scale + shift. The form x * a + b would lose digits if |mean|
// is large.
template <int width>
struct Factors {
  PerChannel<width> center, scale, shift, inverse;

  __device__ Factors(const BatchNormNormalization& n, int64_t channel)
      : center(n.constants.mean, channel),
        scale(n.affine.gamma, channel),
        shift(n.affine.beta, channel),
        inverse(n.constants.inverse_std ? n.constants.inverse_std : n.constants.var, channel) {
    for (int c = 0; c < width; ++c) {
      if (!n.constants.inverse_std) inverse.values[c] = 1 / sqrtf(inverse.values[c] + n.constants.epsilon);
      scale.values[c] *= inverse.values[c];
    }
  }
  __device__ float normalize(float x, int c) const { return (x - center[c]) * scale[c] + shift[c]; }
};

// The factors of dx = scale * (dz - offset - slope * (x - mean)) for a thread's channels. `share` is 1 / rows, or 0 if
// the statistics are constants.
template <int width>
struct DataGradientFactors {
  PerChannel<width> slope, offset;

  __device__ DataGradientFactors(const Factors<width>& factors, const float* dgamma, const float* dbeta, float share,
                                 int64_t channel)
      : slope(dgamma, channel), offset(dbeta, channel) {
    for (int c = 0; c < width; ++c) {
      slope.values[c] = share == 0 ? 0 : factors.inverse[c] * slope[c] * share;
      offset.values[c] = share == 0 ? 0 : offset[c] * share;
    }
  }
  __device__ float operator()(const Factors<width>& factors, float x, float dz, int c) const {
    return factors.scale[c] * (dz - offset[c] - slope[c] * (x - factors.center[c]));
  }
};

}  // namespace melgrad::kernel::cuda
