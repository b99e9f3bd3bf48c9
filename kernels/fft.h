// Fast Fourier transforms of real signals on the CPU, several signals at a time (kernels/spectrum/level.h), in float32
// or float64.
//
// Let m be length / 2 for even lengths, length for odd ones. If m has no prime factor above 13, the transform runs
// passes of these radices (kernels/spectrum/fft.h). Otherwise it is a convolution with a chirp. All factors are
// computed in float64 and rounded.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "kernels/spectrum/level.h"

namespace melgrad::kernel {

// X[k] = sum over i of x[i] exp(-2 pi sqrt(-1) i k / length), for k = 0, ..., length / 2. Real is float or double. The
// object is immutable: threads may share it.
template <class Real>
class RealFft {
 public:
  explicit RealFft(int64_t length);  // throws Error if length < 2
  ~RealFft();
  RealFft(const RealFft&) = delete;
  RealFft& operator=(const RealFft&) = delete;

  int64_t length() const { return tables_.length; }
  int64_t bins() const { return tables_.bins(); }
  const spectrum::RealFftTables<Real>& tables() const { return tables_; }

  // The signals of one call to `forward`.
  static int64_t lanes() { return spectrum::level().of<Real>().lanes; }

  // signals [length][lanes] -> spectra [bins][2][lanes], real and imaginary parts.
  std::vector<Real> forward(const std::vector<Real>& signals) const;

 private:
  class Passes;
  class Chirp;
  class Points;

  std::unique_ptr<Points> points_;
  std::vector<Real> twiddles_;
  spectrum::RealFftTables<Real> tables_{};
};

extern template class RealFft<float>;
extern template class RealFft<double>;

// The transform of a length, made once per process.
template <class Real>
const RealFft<Real>& real_fft(int64_t length);

}  // namespace melgrad::kernel
