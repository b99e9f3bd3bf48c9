// Transforms of a few complex numbers in registers.
#pragma once

#include "kernels/device/level_register.h"

namespace melgrad::kernel::spectrum::MELGRAD_LEVEL {

using kernel::MELGRAD_LEVEL::Register;

// One complex number of each signal.
template <class Real>
struct Complex {
  Register<Real> re, im;
};

template <class Real>
inline Complex<Real> operator+(Complex<Real> a, Complex<Real> b) {
  return {a.re + b.re, a.im + b.im};
}
template <class Real>
inline Complex<Real> operator-(Complex<Real> a, Complex<Real> b) {
  return {a.re - b.re, a.im - b.im};
}
// The factor is a pair (re, im).
template <class Real>
inline Complex<Real> operator*(Complex<Real> a, const Real* factor) {
  return {a.re * factor[0] - a.im * factor[1], a.re * factor[1] + a.im * factor[0]};
}
template <class Real>
inline Complex<Real> times_minus_i(Complex<Real> a) {
  return {a.im, -a.re};
}
template <class Real>
inline Complex<Real> swapped(Complex<Real> a) {
  return {a.im, a.re};
}

// Butterfly<radix>::apply(a, roots) transforms a[0], ..., a[radix - 1]. The general form is for odd primes: numbers k
// and radix - k share products with the cosines and sines of 2 pi k / radix, which `roots` holds in pairs.
template <int radix>
struct Butterfly {
  template <class Real>
  static void apply(Complex<Real>* a, const Real* roots) {
    constexpr int half = radix / 2;
    Complex<Real> sum[half], difference[half];
    const Complex<Real> first = a[0];
    for (int k = 0; k < half; ++k) {
      sum[k] = a[k + 1] + a[radix - 1 - k];
      difference[k] = a[k + 1] - a[radix - 1 - k];
      a[0] = a[0] + sum[k];
    }
    for (int j = 1; j <= half; ++j) {
      Complex<Real> even = first, odd{};
      for (int k = 0; k < half; ++k) {
        const Real* const root = roots + int64_t{2} * (j * (k + 1) % radix);
        const Real cosine = root[0], sine = root[1];
        even = {even.re + sum[k].re * cosine, even.im + sum[k].im * cosine};
        odd = {odd.re + difference[k].re * sine, odd.im + difference[k].im * sine};
      }
      a[j] = even + times_minus_i(odd);
      a[radix - j] = even - times_minus_i(odd);
    }
  }
};

template <>
struct Butterfly<2> {
  template <class Real>
  static void apply(Complex<Real>* a, const Real*) {
    const Complex<Real> difference = a[0] - a[1];
    a[0] = a[0] + a[1];
    a[1] = difference;
  }
};

template <>
struct Butterfly<4> {
  template <class Real>
  static void apply(Complex<Real>* a, const Real*) {
    const Complex<Real> even_sum = a[0] + a[2], even_difference = a[0] - a[2];
    const Complex<Real> odd_sum = a[1] + a[3], odd_difference = times_minus_i(a[1] - a[3]);
    a[0] = even_sum + odd_sum;
    a[1] = even_difference + odd_difference;
    a[2] = even_sum - odd_sum;
    a[3] = even_difference - odd_difference;
  }
};

}  // namespace melgrad::kernel::spectrum::MELGRAD_LEVEL
