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
TEST_P(Fft, AgreesWithItsDefinition) {
  const int64_t length = GetParam();
  const RealFft fft(length);
  std::vector<Lanes> signal(length);
  std::vector<ComplexLanes> spectrum(fft.bins()), scratch(fft.workspace());
  for (int64_t i = 0; i < length; ++i) {
    for (int lane = 0; lane < fft_lanes; ++lane) signal[i].values[lane] = sample(length, i, lane);
  }
  fft.forward(signal.data(), spectrum.data(), scratch.data());
  const double scale = std::sqrt(static_cast<double>(length) / 3);
  const double tolerance = 0x1p-49 * (1 + std::log2(static_cast<double>(length))) * scale;
  for (const int lane : {0, 3}) {
    const auto expected = naive_dft(length, lane);
    ASSERT_EQ(static_cast<int64_t>(expected.size()), fft.bins());
    for (int64_t k = 0; k < fft.bins(); ++k) {
      EXPECT_NEAR(spectrum[k].re.values[lane], expected[k].real(), tolerance) << "length " << length << " bin " << k;
      EXPECT_NEAR(spectrum[k].im.values[lane], expected[k].imag(), tolerance) << "length " << length << " bin " << k;
    }
  }
}

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
  EXPECT_THROW(RealFft(1), Error);
  EXPECT_THROW(RealFft(0), Error);
}

TEST(FftPlan, IsMadeOncePerLength) { EXPECT_EQ(&real_fft(48), &real_fft(48)); }

}  // namespace
}  // namespace melgrad::kernel
