#include "kernels/spectral_jitter.h"

#include "tests/support/kernel_test.h"

namespace melgrad::test {
namespace {

using kernel::SpectralJitter;

struct Shape {
  int64_t batch, n_mels, frames;
  int64_t numel() const { return batch * n_mels * frames; }
};

// Jitters with an inverse deviation of 1 / (m + 1) for mel bin m. `random` must be of the same device.
std::vector<float> jittered(const std::vector<float>& values, const Shape& shape, const SpectralJitter& settings,
                            const RandomStream& random, Device device = Device::cpu, DType dtype = DType::float32) {
  std::vector<float> inverse_std;
  for (int64_t m = 0; m < shape.n_mels; ++m) inverse_std.push_back(1.0f / static_cast<float>(m + 1));
  Stream& stream = Stream::of(device);
  const Array x(stream, values, dtype), y(stream, shape.numel(), dtype);
  const DeviceVector<float> scale(stream, inverse_std);
  kernel::spectral_jitter(stream, x.data(), scale, y.data(), dtype, shape.batch, shape.n_mels, shape.frames, settings,
                          random);
  return y.values();
}

// The gain curves in dB, [batch, n_mels], that are added to zeros. Fails unless all frames have the same curve.
std::vector<double> curves(const Shape& shape, const SpectralJitter& settings) {
  const std::vector zeros(static_cast<size_t>(shape.numel()), 0.0f);
  const auto x = jittered(zeros, shape, settings, Randomness(1, 2, 3).stream);
  std::vector<double> result;
  for (int64_t row = 0; row < shape.batch * shape.n_mels; ++row) {
    const auto first = x.begin() + row * shape.frames;
    EXPECT_EQ(std::count(first, first + shape.frames, *first), shape.frames);
    result.push_back(static_cast<double>(*first) * static_cast<double>(row % shape.n_mels + 1));
  }
  return result;
}

TEST(SpectralJitterKernel, KnotsAreNormalAndJoinedByLines) {
  const Shape shape{20000, 17, 1};  // a knot at every fourth bin
  const auto gains = curves(shape, {.shift = 0, .equalizer = 3, .level = 0});
  std::vector<double> sum(17), squares(17);
  for (int64_t i = 0; i < shape.batch; ++i) {
    const double* const curve = gains.data() + i * 17;
    for (size_t m = 0; m < 17; ++m) {
      sum[m] += curve[m];
      squares[m] += curve[m] * curve[m];
      const size_t left = m / 4 * 4, right = std::min<size_t>(left + 4, 16);
      const double share = static_cast<double>(m - left) / 4;
      ASSERT_NEAR(curve[m], (1 - share) * curve[left] + share * curve[right], 1e-4);
    }
  }
  for (size_t knot = 0; knot < 17; knot += 4) {
    EXPECT_NEAR(sum[knot] / 20000, 0, 5 * 3 / std::sqrt(20000));
    EXPECT_NEAR(squares[knot] / 20000, 9, 5 * 9 * std::sqrt(2.0 / 20000));
  }
  EXPECT_NEAR(squares[2] / 20000, 4.5, 5 * 4.5 * std::sqrt(2.0 / 20000));  // half-way between two independent knots
}

TEST(SpectralJitterKernel, LevelIsUniformAndTheSameInAllBins) {
  const Shape shape{20000, 3, 2};
  double sum = 0, squares = 0;
  const auto gains = curves(shape, {.shift = 0, .equalizer = 0, .level = 6});
  for (size_t i = 0; i < gains.size(); i += 3) {
    ASSERT_NEAR(gains[i], gains[i + 1], 1e-5);
    ASSERT_NEAR(gains[i], gains[i + 2], 1e-5);
    ASSERT_LE(std::abs(gains[i]), 6.0001);
    sum += gains[i];
    squares += gains[i] * gains[i];
  }
  EXPECT_NEAR(sum / 20000, 0, 5 * std::sqrt(12.0 / 20000));
  EXPECT_NEAR(squares / 20000, 12, 0.4);  // 6^2 / 3
}

TEST(SpectralJitterKernel, ShiftsAreUniformAndRepeatTheEdgeBins) {
  const Shape shape{10000, 9, 1};
  std::vector<float> ramps;  // bin m holds m
  for (int64_t i = 0; i < shape.batch; ++i) {
    for (int m = 0; m < 9; ++m) ramps.push_back(static_cast<float>(m));
  }
  const auto x = jittered(ramps, shape, {.shift = 2, .equalizer = 0, .level = 0}, Randomness(1, 2, 3).stream);
  std::vector<double> counts(5);
  for (size_t i = 0; i < x.size(); i += 9) {
    const int fourth = static_cast<int>(x[i + 4]), shift = fourth - 4;
    ++counts.at(static_cast<size_t>(fourth) - 2);
    for (int m = 0; m < 9; ++m)
      ASSERT_EQ(x[i + static_cast<size_t>(m)], static_cast<float>(std::clamp(m + shift, 0, 8)));
  }
  for (const double count : counts) EXPECT_NEAR(count, 2000, 5 * 40);  // 40: the deviation of the binomial count
}

TEST(SpectralJitterKernel, AcceptsASingleMelBin) {
  EXPECT_EQ(curves({5, 1, 3}, {.shift = 0, .equalizer = 4, .level = 6}).size(), 5U);
}

TEST(SpectralJitterKernel, IsDeterminedBySeedStepAndStreamAtAnyThreadCount) {
  const Shape shape{17, 31, 33};
  const auto x = random_values(shape.numel(), 1);
  const auto jitter = [&](const RandomStream& random) { return jittered(x, shape, {4, 4, 6}, random); };
  expect_determined_by_seed_step_and_stream(jitter);
  expect_same_bits_at_any_thread_count([&] { return jitter(Randomness(1, 2, 3).stream); });
}

TEST(SpectralJitterKernel, CudaAgreesWithTheCpu) {
  MELGRAD_SKIP_WITHOUT_CUDA();
  for (const Shape& shape : {Shape{17, 31, 33}, Shape{3, 128, 130}, Shape{2, 5, 64}, Shape{5, 1, 1}, Shape{0, 8, 8}}) {
    for (const DType dtype : activation_dtypes) {
      const auto x = rounded(random_values(shape.numel(), 1), dtype);
      const Randomness random(1, 2, 3), device_random(1, 2, 3, Device::cuda);
      const auto actual = in_every_order([&] {
        return jittered(x, shape, {4, 4, 6}, device_random.stream, Device::cuda, dtype);
      });
      // The logarithm and the cosine of a GPU differ from the CPU's in the last bits.
      expect_close(actual, jittered(x, shape, {4, 4, 6}, random.stream), tolerance(dtype, 1e-5), 1e-5);
    }
  }
}

}  // namespace
}  // namespace melgrad::test
