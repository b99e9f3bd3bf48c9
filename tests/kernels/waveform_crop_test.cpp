#include "kernels/waveform_crop.h"

#include <numbers>
#include <numeric>

#include "tests/support/kernel_test.h"
#include "tests/support/recordings.h"

namespace melgrad::test {
namespace {

using kernel::WaveformChange;
using kernel::WaveformShape;
using Samples = std::vector<std::vector<int16_t>>;

std::vector<float> crops(const Samples& samples, const std::vector<int64_t>& picks, int64_t length, int64_t stride,
                         const WaveformChange& change, const RandomStream& random, Device device = Device::cpu) {
  Stream& stream = Stream::of(device);
  const Recordings recordings(stream, samples, std::vector<float>(samples.size()));
  const DeviceVector<int64_t> device_picks(stream, picks);
  const DeviceVector<float> table(stream, kernel::interpolation_table());
  const auto batch = static_cast<int64_t>(picks.size());
  const DeviceVector<float> y(stream, batch * stride);
  kernel::waveform_crop(stream, recordings.data(), device_picks, table, y, {batch, length, stride}, change, random);
  return y.values();
}

std::vector<int16_t> noise(int64_t n, uint64_t seed) {
  std::vector<int16_t> samples;
  for (const float value : random_values(n, seed, 32000)) samples.push_back(static_cast<int16_t>(value));
  return samples;
}

TEST(WaveformCrop, WithoutAChangeCopiesTheSamplesFromTheDrawnStart) {
  const Samples samples{noise(1000, 1), noise(77, 2)};
  const std::vector<int64_t> picks{0, 1, 0};
  const Randomness random(1, 2, 3);
  const auto y = crops(samples, picks, 50, 64, {}, random.stream);
  for (int64_t i = 0; i < 3; ++i) {
    const auto& from = samples[static_cast<size_t>(picks[static_cast<size_t>(i)])];
    const kernel::Recording recording{from.data(), std::ssize(from), 1, 0};
    const int64_t start = kernel::draw_waveform(recording, 50, i, {}, random.stream).start;
    for (int64_t t = 0; t < 64; ++t) {
      const float expected = t < 50 ? static_cast<float>(from[static_cast<size_t>(start + t)]) * 0x1p-15f : 0;
      EXPECT_EQ(y[static_cast<size_t>(i * 64 + t)], expected) << i << " " << t;
    }
  }
}

TEST(WaveformCrop, StartsAreUniformAndLeaveTheCropInside) {
  const std::vector<int16_t> samples(40);
  const kernel::Recording recording{samples.data(), std::ssize(samples), 1, 0};
  const Randomness random(1, 2, 3);
  std::vector<double> counts(11);
  constexpr int64_t draws = 100000;
  for (int64_t i = 0; i < draws; ++i) {
    ++counts.at(static_cast<size_t>(kernel::draw_waveform(recording, 30, i, {}, random.stream).start));
  }
  const double expected = draws / 11.0;
  const double chi_square = std::accumulate(counts.begin(), counts.end(), 0.0, [&](double sum, double count) {
    return sum + (count - expected) * (count - expected) / expected;
  });
  EXPECT_LT(chi_square, 29.6);  // the 99.9th percentile with 10 degrees of freedom
}

TEST(WaveformCrop, RepeatsAShortRecording) {
  for (const size_t n : {1, 2, 3, 13}) {
    const Samples samples{noise(static_cast<int64_t>(n), 1)};
    const auto y = crops(samples, {0}, 40, 40, {}, Randomness(1, 2, 3).stream);
    for (size_t t = 0; t < 40; ++t) EXPECT_EQ(y[t], static_cast<float>(samples[0][t % n]) * 0x1p-15f);
  }
}

// A sine that is played faster is a sine of a higher frequency.
TEST(WaveformCrop, AChangeOfSpeedResamplesASine) {
  constexpr double frequency = 0.05;  // cycles per sample: 1.1 kHz at 22.05 kHz
  std::vector<int16_t> sine;
  for (int i = 0; i < 5000; ++i) {
    sine.push_back(static_cast<int16_t>(std::lrint(32000 * std::sin(2 * std::numbers::pi * frequency * i))));
  }
  const WaveformChange change{.speed = 0.2f, .gain = 6};
  const Randomness random(1, 2, 3);
  constexpr int64_t batch = 9, length = 1000;
  const auto y = crops({sine}, std::vector<int64_t>(batch), length, length, change, random.stream);
  const kernel::Recording recording{sine.data(), std::ssize(sine), 1, 0};
  double slowest = 2, fastest = 0;
  for (int64_t i = 0; i < batch; ++i) {
    const kernel::WaveformDraw draw = kernel::draw_waveform(recording, length, i, change, random.stream);
    const double speed = static_cast<double>(draw.step) * 0x1p-32, gain = std::pow(10, draw.gain / 20);
    slowest = std::min(slowest, speed), fastest = std::max(fastest, speed);
    EXPECT_LT(std::abs(draw.gain), 6);
    for (int64_t t = 0; t < length; ++t) {
      const double position = static_cast<double>(draw.start) + static_cast<double>(t) * speed;
      const double expected = gain * 32000.0 / 32768 * std::sin(2 * std::numbers::pi * frequency * position);
      ASSERT_NEAR(y[static_cast<size_t>(i * length + t)], expected, 1e-3 * gain) << i << " " << t;
    }
  }
  EXPECT_GE(slowest, 1 / 1.2 - 1e-6);
  EXPECT_LT(slowest, 1);
  EXPECT_GT(fastest, 1);
  EXPECT_LE(fastest, 1.2 + 1e-6);
}

TEST(WaveformCrop, IsDeterminedBySeedStepAndStreamAtAnyThreadCount) {
  const Samples samples{noise(40000, 1)};
  const auto cut = [&](const RandomStream& random) {
    return crops(samples, {0, 0}, 20000, 20100, {.speed = 0.1f, .gain = 3}, random);
  };
  expect_determined_by_seed_step_and_stream(cut);
  expect_same_bits_at_any_thread_count([&] { return cut(Randomness(1, 2, 3).stream); });
}

TEST(WaveformCrop, CudaAgreesWithTheCpu) {
  MELGRAD_SKIP_WITHOUT_CUDA();
  const Samples samples{noise(3000, 1), noise(2, 2), noise(1, 3)};
  for (const WaveformChange& change : {WaveformChange{}, {.speed = 0.3f, .gain = 6}}) {
    for (const int64_t length : {1, 33, 1009}) {
      const auto cut = [&](Device device) {
        return crops(samples, {0, 1, 2, 0}, length, length + 7, change, Randomness(1, 2, 3, device).stream, device);
      };
      expect_close({in_every_order([&] { return cut(Device::cuda); })}, {cut(Device::cpu)}, 1e-5, 1e-6);
    }
  }
}

TEST(InterpolationTable, RowsAddUpToOneAndTheOuterOnesSelectASample) {
  const std::vector<float> table = kernel::interpolation_table();
  ASSERT_EQ(table.size(), (kernel::interpolation_phases + 1) * kernel::interpolation_taps);
  for (auto row = table.begin(); row != table.end(); row += kernel::interpolation_taps) {
    EXPECT_NEAR(std::accumulate(row, row + kernel::interpolation_taps, 0.0), 1, 1e-6);
  }
  EXPECT_EQ(std::vector<float>(table.begin(), table.begin() + 8), (std::vector<float>{0, 0, 0, 1, 0, 0, 0, 0}));
  EXPECT_EQ(std::vector<float>(table.end() - 8, table.end()), (std::vector<float>{0, 0, 0, 0, 1, 0, 0, 0}));
}

}  // namespace
}  // namespace melgrad::test
