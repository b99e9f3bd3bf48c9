// The log-mel spectrogram of a group of frames, one frame in each lane.
#pragma once

#include "kernels/spectrum/decibels.h"
#include "kernels/spectrum/gather.h"
#include "kernels/spectrum/real_fft.h"

namespace melgrad::kernel::spectrum::MELGRAD_LEVEL {

using kernel::MELGRAD_LEVEL::store;

// The sum of weights[i] * power[i] for i < n. Four partial sums: an addition may begin before the one before has ended.
template <class Real>
inline Register<Real> weighted_sum(const float* weights, const Register<Real>* power, int64_t n) {
  Register<Real> sums[4] = {};
  int64_t i = 0;
  for (; i + 4 <= n; i += 4) {
    for (int k = 0; k < 4; ++k) sums[k] += static_cast<Real>(weights[i + k]) * power[i + k];
  }
  for (; i < n; ++i) sums[0] += static_cast<Real>(weights[i]) * power[i];
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

template <class Real>
void log_mel(const FrameGroup<Real>& group, Real* scratch) {
  constexpr int count = lanes<Real>;
  auto* const signal = reinterpret_cast<Register<Real>*>(scratch);
  Register<Real>* const power = signal + group.fft.length;
  auto* const rest = reinterpret_cast<Complex<Real>*>(power + group.fft.bins());
  transform_real(
      group.fft, signal, rest,
      [&](int64_t begin, int64_t end) { gather<Real>(group.frames, group.window, signal, begin, end); },
      [&](int64_t k, Complex<Real> bin) { power[k] = bin.re * bin.re + bin.im * bin.im; });

  const Real scale = group.fft.length % 2 == 0 ? Real(0.25) : Real(1);  // transform_real doubles the bins
  for (int64_t mel = 0; mel < group.n_mels; ++mel) {
    const int32_t offset = group.offset[mel];
    const Register<Real> sum = scale * weighted_sum<Real>(group.weights + offset, power + group.first_bin[mel],
                                                          group.offset[mel + 1] - offset);
    const auto db = decibels<count>(__builtin_convertvector(sum, typename VectorOf<float, count>::Type));
    float* const to = group.db + mel * group.db_row;
    if (group.count == count) {
      store<count>(to, db);
    } else {
      for (int64_t lane = 0; lane < group.count; ++lane) to[lane] = db[lane];
    }
  }
}

}  // namespace melgrad::kernel::spectrum::MELGRAD_LEVEL
