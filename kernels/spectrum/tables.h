// The tables of Fourier transforms, which RealFft (kernels/fft.h) computes and the functions of a level (level.h) read.
// Real is float or double.
#pragma once

#include <cstdint>

namespace melgrad::kernel::spectrum {

// A pass divides each block of radix * groups elements into `radix` blocks of `groups` elements.
template <class Real>
struct FftPass {
  int radix;
  int64_t groups;
  const Real* roots;     // [radix] pairs (cosine, sine) of the angles 2 pi k / radix, for odd radices
  const Real* twiddles;  // [groups, radix - 1] pairs (re, im): exp(-2 pi i group k / (radix groups)), k = 1, ...
};

template <class Real>
struct ChirpFft;

// A transform of complex numbers. If its length has no prime factor above 13, it has passes, otherwise a chirp.
template <class Real>
struct ComplexFft {
  int64_t length;
  const FftPass<Real>* passes;
  int64_t n_passes;
  const int32_t* order;         // [length]; the transform leaves X[k] at order[k]
  const ChirpFft<Real>* chirp;  // null if there are passes

  // Complex numbers that the transform needs besides the data.
  int64_t scratch() const;
};

// A transform of any length, computed as a convolution with a chirp by transforms of another length.
template <class Real>
struct ChirpFft {
  ComplexFft<Real> fft;
  const Real* chirp;            // [length] pairs: exp(-pi i k^2 / length)
  const Real* filter_spectrum;  // [fft.length] pairs, in the order of fft's results
};

template <class Real>
int64_t ComplexFft<Real>::scratch() const {
  return chirp ? 2 * chirp->fft.length : 0;
}

// A transform of real numbers. Its complex transform has length / 2 elements for even lengths, `length` for odd ones.
template <class Real>
struct RealFftTables {
  int64_t length;
  ComplexFft<Real> fft;
  const Real* twiddles;  // [length / 4 + 1] pairs: exp(-2 pi i k / length); null for odd lengths

  int64_t bins() const { return length / 2 + 1; }
  // Registers of Real that a transform needs besides the signal.
  int64_t scratch() const { return 2 * ((length % 2 == 0 ? 0 : fft.length) + fft.scratch()); }
};

}  // namespace melgrad::kernel::spectrum
