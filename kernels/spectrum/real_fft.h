// Fourier transforms of real numbers. For even lengths, even samples are the real parts and odd samples the imaginary
// parts of half as many complex numbers Z. The transforms E and O of even and odd samples are then
//   2 E[k] = Z[k] + conj(Z[n - k]),  2 i O[k] = Z[k] - conj(Z[n - k]),  n = length / 2,
// and the bins are X[k] = E[k] + exp(-2 pi i k / length) O[k] and X[n - k] = conj(E[k] - exp(-2 pi i k / length) O[k])
// (Cooley, Lewis and Welch, The fast Fourier transform algorithm, 1970).
#pragma once

#include "kernels/spectrum/fft.h"

namespace melgrad::kernel::spectrum::MELGRAD_LEVEL {

// Transforms the real numbers that fill(begin, end) writes to signal[begin], ..., signal[end - 1], [length]. Overwrites
// the signal. Calls emit(k, X) for every bin, with X the bin multiplied by 2 for even lengths.
template <class Real, class Fill, class Emit>
void transform_real(const RealFftTables<Real>& tables, Register<Real>* signal, Complex<Real>* scratch, const Fill& fill,
                    const Emit& emit) {
  const int64_t n = tables.fft.length;
  const int32_t* const order = tables.fft.order;
  if (tables.length % 2 != 0) {
    Complex<Real>* const z = scratch;
    transform(tables.fft, z, scratch + n, [&](int64_t begin, int64_t end) {
      fill(begin, end);
      for (int64_t i = begin; i < end; ++i) z[i] = {signal[i], Register<Real>{}};
    });
    for (int64_t k = 0; k < tables.bins(); ++k) emit(k, z[order[k]]);
    return;
  }
  auto* const z = reinterpret_cast<Complex<Real>*>(signal);
  transform(tables.fft, z, scratch, [&](int64_t begin, int64_t end) { fill(2 * begin, 2 * end); });
  for (int64_t k = 0; k <= n / 2; ++k) {
    const Complex<Real> a = z[order[k]], b = z[order[k == 0 ? 0 : n - k]];
    const Complex<Real> even = {a.re + b.re, a.im - b.im}, odd = {a.im + b.im, b.re - a.re};
    const Complex<Real> turned = odd * (tables.twiddles + 2 * k);
    emit(k, even + turned);
    emit(n - k, Complex<Real>{even.re - turned.re, turned.im - even.im});
  }
}

template <class Real>
void forward(const RealFftTables<Real>& tables, Real* signal, Real* spectrum, Real* scratch) {
  auto* const bins = reinterpret_cast<Complex<Real>*>(spectrum);
  const Real scale = tables.length % 2 == 0 ? Real(0.5) : Real(1);
  transform_real(
      tables, reinterpret_cast<Register<Real>*>(signal), reinterpret_cast<Complex<Real>*>(scratch),
      [](int64_t, int64_t) {},
      [&](int64_t k, Complex<Real> bin) {
        bins[k] = {bin.re * scale, bin.im * scale};
      });
}

}  // namespace melgrad::kernel::spectrum::MELGRAD_LEVEL
