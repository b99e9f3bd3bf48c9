#include "kernels/fft.h"

#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <numbers>

#include "kernels/device/error.h"
#include "kernels/device/philox.h"

namespace melgrad::kernel {
namespace {

float sample(int64_t length, int64_t i, int lane) {
  return 2 * uniform(philox(static_cast<uint64_t>(length), static_cast<uint64_t>(i), 0).v[0] + 77777777u * lane) - 1;
}

// The definition, in double precision.
std::vector<std::complex<double>> naive_dft(int64_t length, int lane) {
  std::vector<std::complex<double>> roots, spectrum;
  for (int64_t i = 0; i < length; ++i) roots.push_back(std::polar(1.0, -2 * std::numbers::pi * i / length));
  for (int64_t k = 0; k <= length / 2; ++k) {
    std::complex<double> sum = 0;
    for (int64_t i = 0; i < length; ++i) sum += double{sample(length, i, lane)} * roots[k * i % length];
    spectrum.push_back(sum);
  }
  return spectrum;
}

class Fft : public testing::TestWithParam<int64_t> {};

// The transform's error grows with the logarithm of the length, and so does that of the naive sum's roots of unity.
template <class Real>
void expect_agrees_with_definition(int64_t length, double epsilon) {
  const RealFft<Real> fft(length);
  const int64_t lanes = fft.lanes();
  std::vector<Real> signals(static_cast<size_t>(length * lanes));
  for (int64_t i = 0; i < length; ++i) {
    for (int lane = 0; lane < lanes; ++lane) signals[static_cast<size_t>(i * lanes + lane)] = sample(length, i, lane);
  }
  const std::vector<Real> spectra = fft.forward(signals);
  ASSERT_EQ(std::ssize(spectra), 2 * fft.bins() * lanes);
  const double scale = std::sqrt(static_cast<double>(length) / 3);
  const double tolerance = epsilon * (1 + std::log2(static_cast<double>(length))) * scale;
  for (const int64_t lane : {int64_t{0}, lanes - 1}) {
    const auto expected = naive_dft(length, static_cast<int>(lane));
    ASSERT_EQ(std::ssize(expected), fft.bins());
    for (int64_t k = 0; k < fft.bins(); ++k) {
      const Real* const bin = spectra.data() + 2 * k * lanes + lane;
      EXPECT_NEAR(bin[0], expected[k].real(), tolerance) << "length " << length << " bin " << k;
      EXPECT_NEAR(bin[lanes], expected[k].imag(), tolerance) << "length " << length << " bin " << k;
    }
  }
}

TEST_P(Fft, AgreesWithItsDefinitionInFloat64) { expect_agrees_with_definition<double>(GetParam(), 0x1p-49); }
TEST_P(Fft, AgreesWithItsDefinitionInFloat32) { expect_agrees_with_definition<float>(GetParam(), 0x1p-22); }

std::vector<int64_t> all_small_lengths() {
  std::vector<int64_t> lengths;
  for (int64_t length = 2; length <= 130; ++length) lengths.push_back(length);
  return lengths;
}

INSTANTIATE_TEST_SUITE_P(Small, Fft, testing::ValuesIn(all_small_lengths()), testing::PrintToStringParamName());
// Powers of two, products of every radix, primes and their doubles (Bluestein).
INSTANTIATE_TEST_SUITE_P(Large, Fft,
                         testing::Values(256, 400, 512, 882, 1000, 1001, 1024, 1103, 1200, 1323, 2018, 2048),
                         testing::PrintToStringParamName());

TEST(FftPlan, RefusesLengthsBelowTwo) {
  EXPECT_THROW(RealFft<double>(1), Error);
  EXPECT_THROW(RealFft<float>(0), Error);
}

TEST(FftPlan, IsMadeOncePerLength) { EXPECT_EQ(&real_fft<float>(48), &real_fft<float>(48)); }

}  // namespace
}  // namespace melgrad::kernel
