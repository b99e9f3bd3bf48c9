#include "kernels/fft.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <mutex>
#include <numbers>
#include <numeric>
#include <utility>

#include "kernels/device/error.h"
#include "kernels/device/scratch.h"

namespace melgrad::kernel {
namespace {

// exp(-2 pi sqrt(-1) numerator / denominator). The numerator is reduced first, which keeps the angle precise.
std::array<double, 2> root_of_unity(int64_t numerator, int64_t denominator) {
  const double angle = -2 * std::numbers::pi * static_cast<double>(numerator % denominator) / double(denominator);
  return {std::cos(angle), std::sin(angle)};
}

template <class Real>
void append_root(std::vector<Real>& roots, int64_t numerator, int64_t denominator) {
  const auto [re, im] = root_of_unity(numerator, denominator);
  roots.push_back(static_cast<Real>(re));
  roots.push_back(static_cast<Real>(im));
}

constexpr int radices[] = {4, 2, 3, 5, 7, 11, 13};

// Registers of Real in memory.
template <class Real>
class Registers {
 public:
  explicit Registers(int64_t count)
      : memory_(Stream::of(Device::cpu), static_cast<size_t>(count * RealFft<Real>::lanes()) * sizeof(Real)) {}
  Real* data() const { return static_cast<Real*>(memory_.get()); }

 private:
  Scratch memory_;
};

}  // namespace

template <class Real>
class RealFft<Real>::Passes {
 public:
  // True if `length` has no prime factor above 13.
  static bool supports(int64_t length) {
    for (const int radix : radices) {
      while (length % radix == 0) length /= radix;
    }
    return length == 1;
  }

  explicit Passes(int64_t length) : length_(length), order_(static_cast<size_t>(length)) {
    int64_t remaining = length;
    for (const int radix : radices) {
      for (; remaining % radix == 0; remaining /= radix) add_pass(radix, remaining / radix);
    }
    place_bins(0, 0, 0, 1);
  }

  spectrum::ComplexFft<Real> tables() const {
    return {.length = length_,
            .passes = passes_.data(),
            .n_passes = std::ssize(passes_),
            .order = order_.data(),
            .chirp = nullptr};
  }

 private:
  void add_pass(int radix, int64_t groups) {
    std::vector<Real> roots, twiddles;
    for (int k = 0; k < radix; ++k) {
      const auto [cosine, minus_sine] = root_of_unity(k, radix);
      roots.push_back(static_cast<Real>(cosine));
      roots.push_back(static_cast<Real>(-minus_sine));
    }
    for (int64_t group = 0; group < groups; ++group) {
      for (int k = 1; k < radix; ++k) append_root(twiddles, group * k, radix * groups);
    }
    passes_.push_back({.radix = radix, .groups = groups, .roots = roots.data(), .twiddles = twiddles.data()});
    factors_.push_back(std::move(roots));
    factors_.push_back(std::move(twiddles));
  }

  // The block that pass `pass` reads at `place` holds the bins `first`, first + step, first + 2 step, ....
  void place_bins(size_t pass, int64_t place, int64_t first, int64_t step) {
    if (pass == passes_.size()) {
      order_[static_cast<size_t>(first)] = static_cast<int32_t>(place);
      return;
    }
    const auto& [radix, groups, roots, twiddles] = passes_[pass];
    for (int k = 0; k < radix; ++k) place_bins(pass + 1, place + k * groups, first + k * step, step * radix);
  }

  int64_t length_;
  std::vector<spectrum::FftPass<Real>> passes_;
  std::vector<std::vector<Real>> factors_;  // that passes_ points to
  std::vector<int32_t> order_;
};

// A transform of any length as a convolution, since k i = (k^2 + i^2 - (k - i)^2) / 2. The convolution is computed by
// transforms whose length is a power of two and at least 2 * length - 1.
template <class Real>
class RealFft<Real>::Chirp {
 public:
  explicit Chirp(int64_t length) : fft_(padded_length(length)) {
    const spectrum::ComplexFft<Real> fft = fft_.tables();
    for (int64_t i = 0; i < length; ++i) append_root(chirp_, i * i % (2 * length), 2 * length);

    // All lanes transform the same filter.
    const int64_t lanes = RealFft::lanes();
    const Registers<Real> filter(2 * fft.length);
    std::fill_n(filter.data(), 2 * fft.length * lanes, Real(0));
    for (int64_t i = 0; i < length; ++i) {
      for (const int64_t place : {i, (fft.length - i) % fft.length}) {
        std::fill_n(filter.data() + 2 * place * lanes, lanes, chirp_[static_cast<size_t>(2 * i)]);
        std::fill_n(filter.data() + (2 * place + 1) * lanes, lanes, -chirp_[static_cast<size_t>(2 * i + 1)]);
      }
    }
    spectrum::level().of<Real>().transform(fft, filter.data());
    for (int64_t i = 0; i < 2 * fft.length; ++i) {
      filter_spectrum_.push_back(filter.data()[i * lanes] / static_cast<Real>(fft.length));
    }
    tables_ = {.fft = fft, .chirp = chirp_.data(), .filter_spectrum = filter_spectrum_.data()};
  }

  const spectrum::ChirpFft<Real>& tables() const { return tables_; }

 private:
  static int64_t padded_length(int64_t length) {
    int64_t padded = 1;
    while (padded < 2 * length - 1) padded *= 2;
    return padded;
  }

  Passes fft_;
  std::vector<Real> chirp_, filter_spectrum_;
  spectrum::ChirpFft<Real> tables_{};
};

// A transform of complex numbers, of any length.
template <class Real>
class RealFft<Real>::Points {
 public:
  explicit Points(int64_t length) {
    if (Passes::supports(length)) {
      passes_ = std::make_unique<Passes>(length);
      tables_ = passes_->tables();
    } else {
      chirp_ = std::make_unique<Chirp>(length);
      natural_order_.resize(static_cast<size_t>(length));
      std::iota(natural_order_.begin(), natural_order_.end(), 0);
      tables_ = {.length = length,
                 .passes = nullptr,
                 .n_passes = 0,
                 .order = natural_order_.data(),
                 .chirp = &chirp_->tables()};
    }
  }

  const spectrum::ComplexFft<Real>& tables() const { return tables_; }

 private:
  std::unique_ptr<Passes> passes_;
  std::unique_ptr<Chirp> chirp_;
  std::vector<int32_t> natural_order_;
  spectrum::ComplexFft<Real> tables_{};
};

template <class Real>
RealFft<Real>::RealFft(int64_t length) {
  MELGRAD_CHECK(length >= 2, "an FFT needs a length of at least 2, got {}", length);
  const bool even_length = length % 2 == 0;
  points_ = std::make_unique<Points>(even_length ? length / 2 : length);
  if (even_length) {
    for (int64_t k = 0; k <= length / 4; ++k) append_root(twiddles_, k, length);
  }
  tables_ = {.length = length, .fft = points_->tables(), .twiddles = even_length ? twiddles_.data() : nullptr};
}

template <class Real>
RealFft<Real>::~RealFft() = default;

template <class Real>
std::vector<Real> RealFft<Real>::forward(const std::vector<Real>& signals) const {
  MELGRAD_CHECK(std::ssize(signals) == length() * lanes(), "{} samples in place of {} signals of {}", signals.size(),
                lanes(), length());
  const Registers<Real> signal(length()), spectra(2 * bins()), scratch(tables_.scratch());
  std::copy(signals.begin(), signals.end(), signal.data());
  spectrum::level().of<Real>().forward(tables_, signal.data(), spectra.data(), scratch.data());
  return {spectra.data(), spectra.data() + 2 * bins() * lanes()};
}

template class RealFft<float>;
template class RealFft<double>;

template <class Real>
const RealFft<Real>& real_fft(int64_t length) {
  static std::mutex mutex;
  static std::map<int64_t, RealFft<Real>> transforms;
  const std::lock_guard lock(mutex);
  return transforms.try_emplace(length, length).first->second;
}

template const RealFft<float>& real_fft<float>(int64_t length);
template const RealFft<double>& real_fft<double>(int64_t length);

}  // namespace melgrad::kernel
