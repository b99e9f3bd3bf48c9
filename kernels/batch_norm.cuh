// The parts of batch normalisation that its kernels share: batch_norm.cu and batch_norm_max_pool2d.cu.
#pragma once

#include "kernels/batch_norm.h"
#include "kernels/device/column_reduce.cuh"
#include "kernels/relu.h"

namespace melgrad::kernel::cuda {

// Blocks that must fit on a multiprocessor. The threads of two blocks have enough loads in flight to hide the latency
// of memory. Without this number, ptxas spills registers to fit more blocks.
constexpr int least_blocks = 2;

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
// is large. All threads of the block must construct it.
template <int width>
struct Factors {
  PerChannel<width> of[3];

  __device__ Factors(const BatchNormNormalization& n, int64_t channels) {
    share_channels(of, channels, [&](int64_t channel, float(&values)[3]) {
      values[0] = n.constants.mean[channel];
      values[1] = n.affine.gamma[channel] * inverse_std_of(n.constants, channel);
      values[2] = n.affine.beta[channel];
    });
  }
  __device__ float center(int c) const { return of[0][c]; }
  __device__ float scale(int c) const { return of[1][c]; }
  __device__ float shift(int c) const { return of[2][c]; }
  __device__ float normalize(float x, int c) const { return (x - center(c)) * scale(c) + shift(c); }
};

// The factors of dx = scale * (dz - offset - slope * (x - mean)) for a thread's channels. `share` is 1 / rows, or 0 if
// the statistics are constants. All threads of the block must construct it.
template <int width>
struct DataGradientFactors {
  PerChannel<width> of[2];

  __device__ DataGradientFactors(const BatchNormNormalization& n, const float* dgamma, const float* dbeta, float share,
                                 int64_t channels) {
    share_channels(of, channels, [&](int64_t channel, float(&values)[2]) {
      values[0] = share == 0 ? 0 : inverse_std_of(n.constants, channel) * dgamma[channel] * share;
      values[1] = share == 0 ? 0 : dbeta[channel] * share;
    });
  }
  __device__ float operator()(const Factors<width>& factors, float x, float dz, int c) const {
    return factors.scale(c) * (dz - of[1][c] - of[0][c] * (x - factors.center(c)));
  }
};

}  // namespace melgrad::kernel::cuda
