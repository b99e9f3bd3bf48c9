// Fourier transforms of complex numbers: of lengths without large prime factors by passes, of any other length by
// convolution with a chirp (Bluestein 1970).
//
// The passes decimate in frequency (Gentleman and Sande 1966). With n = radix * groups, bin radix q + r of a block
// x[0], ..., x[n - 1] is
//   X[radix q + r] = sum over g < groups of exp(-2 pi i g q / groups) y_r[g], where
//   y_r[g] = exp(-2 pi i g r / n) * sum over s < radix of exp(-2 pi i r s / radix) x[g + s groups],
// so a pass replaces the block by the `radix` blocks y_r, whose transforms are the bins r, radix + r, .... Everything
// happens in place. The bins end in an order of digits reversed, which the tables tell (ComplexFft::order): each
// element is a whole register, so reading in any order costs little.
#pragma once

#include "kernels/spectrum/butterfly.h"
#include "kernels/spectrum/level.h"

namespace melgrad::kernel::spectrum::MELGRAD_LEVEL {

// The groups [begin, end) of one block.
template <int radix, class Real>
void run_groups(const FftPass<Real>& pass, Complex<Real>* block, int64_t begin, int64_t end) {
  const int64_t groups = pass.groups;
  const Real* twiddles = pass.twiddles + begin * 2 * (radix - 1);
  for (int64_t group = begin; group < end; ++group, twiddles += 2 * (radix - 1)) {
    Complex<Real>* const x = block + group;
    Complex<Real> a[radix];
    for (int k = 0; k < radix; ++k) a[k] = x[k * groups];
    Butterfly<radix>::apply(a, pass.roots);
    x[0] = a[0];
    for (int k = 1; k < radix; ++k) x[k * groups] = a[k] * (twiddles + 2 * k - 2);
  }
}

// A pass over consecutive blocks. The twiddles of the last pass are all 1.
template <int radix, class Real>
void run_blocks(const FftPass<Real>& pass, Complex<Real>* data, int64_t blocks) {
  if (pass.groups > 1) {
    for (int64_t i = 0; i < blocks; ++i) run_groups<radix>(pass, data + i * radix * pass.groups, 0, pass.groups);
    return;
  }
  for (Complex<Real>* x = data; x < data + blocks * radix; x += radix) {
    Complex<Real> a[radix];
    for (int k = 0; k < radix; ++k) a[k] = x[k];
    Butterfly<radix>::apply(a, pass.roots);
    for (int k = 0; k < radix; ++k) x[k] = a[k];
  }
}

// Calls body.operator()<radix>() for the radix of a pass.
template <class Real, class Body>
void with_radix(const FftPass<Real>& pass, const Body& body) {
  switch (pass.radix) {
    case 2:
      return body.template operator()<2>();
    case 3:
      return body.template operator()<3>();
    case 4:
      return body.template operator()<4>();
    case 5:
      return body.template operator()<5>();
    case 7:
      return body.template operator()<7>();
    case 11:
      return body.template operator()<11>();
    case 13:
      return body.template operator()<13>();
  }
}

// Transforms the numbers that fill(begin, end) writes to data[begin], ..., data[end - 1], in place. The first pass
// follows the filling at a short distance, while the numbers are in the nearest cache. It leaves blocks that fit this
// cache, and the other passes complete one of them before the next.
template <class Real, class Fill>
void run_passes(const ComplexFft<Real>& fft, Complex<Real>* data, const Fill& fill) {
  if (fft.n_passes == 0) return fill(0, fft.length);
  const FftPass<Real>& first = fft.passes[0];
  with_radix(first, [&]<int radix>() {
    constexpr int64_t strip = 8;
    for (int64_t begin = 0; begin < first.groups; begin += strip) {
      const int64_t end = begin + strip < first.groups ? begin + strip : first.groups;
      for (int k = 0; k < radix; ++k) fill(k * first.groups + begin, k * first.groups + end);
      run_groups<radix>(first, data, begin, end);
    }
  });
  for (int k = 0; k < first.radix; ++k) {
    int64_t blocks = 1;
    for (int64_t i = 1; i < fft.n_passes; ++i) {
      const FftPass<Real>& pass = fft.passes[i];
      with_radix(pass, [&]<int radix>() { run_blocks<radix>(pass, data + k * first.groups, blocks); });
      blocks *= pass.radix;
    }
  }
}

// Convolves with a chirp, by two transforms and a product between them.
template <class Real>
void run_chirp(const ChirpFft<Real>& chirp, int64_t length, Complex<Real>* data, Complex<Real>* scratch) {
  const ComplexFft<Real>& fft = chirp.fft;
  Complex<Real>*const a = scratch, *const b = scratch + fft.length;
  run_passes(fft, a, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) a[i] = i < length ? data[i] * (chirp.chirp + 2 * i) : Complex<Real>{};
  });
  // The inverse transform is the forward transform with real and imaginary parts exchanged before and after.
  run_passes(fft, b, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t place = fft.order[i];
      b[i] = swapped(a[place] * (chirp.filter_spectrum + 2 * place));
    }
  });
  for (int64_t i = 0; i < length; ++i) data[i] = swapped(b[fft.order[i]]) * (chirp.chirp + 2 * i);
}

// As run_passes, for any length.
template <class Real, class Fill>
void transform(const ComplexFft<Real>& fft, Complex<Real>* data, Complex<Real>* scratch, const Fill& fill) {
  if (!fft.chirp) return run_passes(fft, data, fill);
  fill(0, fft.length);
  run_chirp(*fft.chirp, fft.length, data, scratch);
}

template <class Real>
void transform_data(const ComplexFft<Real>& fft, Real* data) {
  run_passes(fft, reinterpret_cast<Complex<Real>*>(data), [](int64_t, int64_t) {});
}

}  // namespace melgrad::kernel::spectrum::MELGRAD_LEVEL
