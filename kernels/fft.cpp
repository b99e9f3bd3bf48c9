#include "kernels/fft.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <mutex>
#include <numbers>

#include "kernels/device/error.h"
#include "kernels/lanes.h"

namespace melgrad::kernel {
namespace {

struct Complex {
  LaneRegister re, im;
};

inline Complex operator+(Complex a, Complex b) { return {a.re + b.re, a.im + b.im}; }
inline Complex operator-(Complex a, Complex b) { return {a.re - b.re, a.im - b.im}; }
inline Complex times(Complex a, double re, double im) { return {a.re * re - a.im * im, a.re * im + a.im * re}; }
inline Complex times_minus_i(Complex a) { return {a.im, -a.re}; }

// exp(-2 pi sqrt(-1) numerator / denominator). The numerator is reduced first, which keeps the angle precise.
std::array<double, 2> root_of_unity(int64_t numerator, int64_t denominator) {
  const double angle = -2 * std::numbers::pi * static_cast<double>(numerator % denominator) / double(denominator);
  return {std::cos(angle), std::sin(angle)};
}

void append_root(std::vector<double>& roots, int64_t numerator, int64_t denominator) {
  const auto [re, im] = root_of_unity(numerator, denominator);
  roots.push_back(re);
  roots.push_back(im);
}

// The discrete Fourier transform of `radix` values in registers, for an odd prime radix. Values k and radix - k share
// products.
template <int radix>
struct Butterfly {
  static void apply(Complex* a) {
    static const auto roots = [] {
      std::array<std::array<double, 2>, radix> table{};
      for (int k = 0; k < radix; ++k) {
        const auto [re, im] = root_of_unity(k, radix);
        table[k] = {re, -im};
      }
      return table;
    }();
    constexpr int half = radix / 2;
    Complex sum[half], difference[half];
    const Complex first = a[0];
    for (int k = 0; k < half; ++k) {
      sum[k] = a[k + 1] + a[radix - 1 - k];
      difference[k] = a[k + 1] - a[radix - 1 - k];
      a[0] = a[0] + sum[k];
    }
    for (int j = 1; j <= half; ++j) {
      Complex even = first, odd{};
      for (int k = 0; k < half; ++k) {
        const auto [cosine, sine] = roots[j * (k + 1) % radix];
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
  static void apply(Complex* a) {
    const Complex difference = a[0] - a[1];
    a[0] = a[0] + a[1];
    a[1] = difference;
  }
};

template <>
struct Butterfly<4> {
  static void apply(Complex* a) {
    const Complex even_sum = a[0] + a[2], even_difference = a[0] - a[2];
    const Complex odd_sum = a[1] + a[3], odd_difference = times_minus_i(a[1] - a[3]);
    a[0] = even_sum + odd_sum;
    a[1] = even_difference + odd_difference;
    a[2] = even_sum - odd_sum;
    a[3] = even_difference - odd_difference;
  }
};

// One Stockham pass: reads `radix` elements at a distance of groups * stride, writes them at a distance of stride.
template <int radix>
void run_pass(const Complex* in, Complex* out, int64_t groups, int64_t stride, const double* twiddles) {
  constexpr int64_t doubles = int64_t{2} * (radix - 1);  // twiddles per group
  for (int64_t group = 0; group < groups; ++group, twiddles += doubles) {
    for (int64_t i = 0; i < stride; ++i) {
      const Complex* from = in + group * stride + i;
      Complex* to = out + group * radix * stride + i;
      Complex a[radix];
      for (int k = 0; k < radix; ++k) a[k] = from[k * groups * stride];
      Butterfly<radix>::apply(a);
      to[0] = a[0];
      for (int k = 1; k < radix; ++k) to[k * stride] = times(a[k], twiddles[2 * k - 2], twiddles[2 * k - 1]);
    }
  }
}

using PassFunction = void (*)(const Complex*, Complex*, int64_t, int64_t, const double*);
struct Radix {
  int value;
  PassFunction run;
};
constexpr Radix radices[] = {{4, run_pass<4>}, {2, run_pass<2>},   {3, run_pass<3>},  {5, run_pass<5>},
                             {7, run_pass<7>}, {11, run_pass<11>}, {13, run_pass<13>}};

}  // namespace

class RealFft::Smooth {
 public:
  // True if `length` has no prime factor above 13.
  static bool supports(int64_t length) {
    for (const Radix& radix : radices) {
      while (length % radix.value == 0) length /= radix.value;
    }
    return length == 1;
  }

  explicit Smooth(int64_t length) {
    int64_t remaining = length, stride = 1;
    for (const Radix& radix : radices) {
      for (; remaining % radix.value == 0; stride *= radix.value) {
        const int64_t groups = remaining / radix.value;
        passes_.push_back({radix.run, groups, stride, twiddles_.size()});
        for (int64_t group = 0; group < groups; ++group) {
          for (int k = 1; k < radix.value; ++k) append_root(twiddles_, group * k, remaining);
        }
        remaining = groups;
      }
    }
  }

  // Transforms `data` with `scratch` of the same length. Returns the one of the two that holds the result.
  Complex* transform(Complex* data, Complex* scratch) const {
    for (const Pass& pass : passes_) {
      pass.run(data, scratch, pass.groups, pass.stride, twiddles_.data() + pass.twiddles);
      std::swap(data, scratch);
    }
    return data;
  }

 private:
  struct Pass {
    PassFunction run;
    int64_t groups, stride;  // radix * groups * stride = length
    size_t twiddles;         // index of the first in twiddles_: [groups, radix - 1] pairs
  };
  std::vector<Pass> passes_;
  std::vector<double> twiddles_;
};

// A transform of any length as a convolution, since k i = (k^2 + i^2 - (k - i)^2) / 2. The convolution is computed by
// transforms whose length is a power of two and at least 2 * length - 1.
class RealFft::Chirp {
 public:
  explicit Chirp(int64_t length) : length_(length) {
    while (padded_ < 2 * length - 1) padded_ *= 2;
    fft_ = std::make_unique<Smooth>(padded_);
    for (int64_t i = 0; i < length; ++i) append_root(chirp_, i * i % (2 * length), 2 * length);

    std::vector<Complex> filter(padded_, Complex{}), scratch(padded_);
    for (int64_t i = 0; i < length; ++i) {
      const Complex conjugate = {LaneRegister{} + chirp_[2 * i], LaneRegister{} - chirp_[2 * i + 1]};
      filter[i] = filter[(padded_ - i) % padded_] = conjugate;
    }
    const Complex* spectrum = fft_->transform(filter.data(), scratch.data());
    for (int64_t i = 0; i < padded_; ++i) {
      filter_spectrum_.push_back(spectrum[i].re[0] / static_cast<double>(padded_));
      filter_spectrum_.push_back(spectrum[i].im[0] / static_cast<double>(padded_));
    }
  }

  int64_t workspace() const { return 2 * padded_; }

  Complex* transform(Complex* data, Complex* scratch) const {
    Complex *a = scratch, *b = scratch + padded_;
    for (int64_t i = 0; i < length_; ++i) a[i] = times(data[i], chirp_[2 * i], chirp_[2 * i + 1]);
    for (int64_t i = length_; i < padded_; ++i) a[i] = Complex{};
    Complex* spectrum = fft_->transform(a, b);
    // The inverse transform is the forward transform with real and imaginary parts exchanged before and after.
    for (int64_t i = 0; i < padded_; ++i) {
      const Complex product = times(spectrum[i], filter_spectrum_[2 * i], filter_spectrum_[2 * i + 1]);
      spectrum[i] = {product.im, product.re};
    }
    const Complex* result = fft_->transform(spectrum, spectrum == a ? b : a);
    for (int64_t i = 0; i < length_; ++i) {
      data[i] = times({result[i].im, result[i].re}, chirp_[2 * i], chirp_[2 * i + 1]);
    }
    return data;
  }

 private:
  int64_t length_, padded_ = 1;
  std::unique_ptr<Smooth> fft_;
  std::vector<double> chirp_, filter_spectrum_;  // pairs
};

RealFft::RealFft(int64_t length) : length_(length), complex_length_(length % 2 == 0 ? length / 2 : length) {
  MELGRAD_CHECK(length >= 2, "an FFT needs a length of at least 2, got {}", length);
  if (Smooth::supports(complex_length_)) {
    smooth_ = std::make_unique<Smooth>(complex_length_);
  } else {
    chirp_ = std::make_unique<Chirp>(complex_length_);
  }
  if (length % 2 == 0) {
    for (int64_t k = 0; k <= complex_length_ / 2; ++k) append_root(twiddles_, k, length);
  }
}

RealFft::~RealFft() = default;

int64_t RealFft::workspace() const {
  const int64_t widened = length_ % 2 == 0 ? 0 : complex_length_;
  return widened + (chirp_ ? chirp_->workspace() : complex_length_);
}

void RealFft::forward(Lanes* signal, ComplexLanes* spectrum, ComplexLanes* scratch) const {
  const int64_t n = complex_length_;
  const bool even_length = length_ % 2 == 0;
  auto* x = reinterpret_cast<Complex*>(signal);
  auto* free = reinterpret_cast<Complex*>(scratch);
  auto* out = reinterpret_cast<Complex*>(spectrum);
  if (!even_length) {
    x = free;
    free += n;
    for (int64_t i = 0; i < n; ++i) x[i] = {as_register(signal[i]), LaneRegister{}};
  }
  const Complex* z = chirp_ ? chirp_->transform(x, free) : smooth_->transform(x, free);
  if (!even_length) {
    std::copy(z, z + bins(), out);
    return;
  }
  for (int64_t k = 0; k <= n / 2; ++k) {
    const Complex a = z[k], b = z[k == 0 ? 0 : n - k];
    const Complex even = {(a.re + b.re) * 0.5, (a.im - b.im) * 0.5};
    const Complex odd = {(a.im + b.im) * 0.5, (b.re - a.re) * 0.5};
    const Complex turned = times(odd, twiddles_[2 * k], twiddles_[2 * k + 1]);
    out[k] = even + turned;
    out[n - k] = {even.re - turned.re, turned.im - even.im};
  }
}

const RealFft& real_fft(int64_t length) {
  static std::mutex mutex;
  static std::map<int64_t, RealFft> transforms;
  const std::lock_guard lock(mutex);
  return transforms.try_emplace(length, length).first->second;
}

}  // namespace melgrad::kernel
