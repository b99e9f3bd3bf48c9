#include "kernels/waveform_mix.h"

#include "tests/support/kernel_test.h"
#include "tests/support/recordings.h"

namespace melgrad::test {
namespace {

constexpr int64_t length = 33, stride = 40, classes = 5;
constexpr float alpha = 0.7f;
constexpr kernel::WaveformChange change{.speed = 0.1f, .gain = 6};

struct Mixing {
  int64_t batch;
  std::vector<float> levels{-20, -35, -5};

  std::vector<int64_t> picks() const {
    std::vector<int64_t> result;
    for (int64_t i = 0; i < batch; ++i) result.push_back(i % 3);
    return result;
  }
  std::vector<float> samples() const { return random_values(batch * stride, 1); }
  std::vector<float> targets() const { return random_values(batch * classes, 2); }

  // The samples and the targets after mixing.
  Results run(Device device = Device::cpu, uint64_t seed = 1) const {
    Stream& stream = Stream::of(device);
    const std::vector<std::vector<int16_t>> silence(3, std::vector<int16_t>(100));
    const Recordings recordings(stream, silence, levels);
    const DeviceVector<int64_t> device_picks(stream, picks());
    const DeviceVector<float> y(stream, samples()), mixed(stream, targets());
    kernel::waveform_mix(stream, recordings.data(), device_picks, y, mixed, {batch, length, stride}, classes, change,
                         Randomness(seed, 2, 3, device).stream, alpha, Randomness(seed, 2, 4, device).stream);
    return {y.values(), mixed.values()};
  }
};

// Equation (2) of the paper with levels G: p = 1 / (1 + 10^((G1 - G2) / 20) (1 - r) / r).
TEST(WaveformMix, FollowsThePaper) {
  for (const int64_t batch : {1, 2, 7}) {
    const Mixing mixing{batch};
    const Results mixed = mixing.run();
    const auto x = mixing.samples(), targets = mixing.targets();
    const Randomness random(1, 2, 3), ratios(1, 2, 4);
    const std::vector<int16_t> silence(100);
    const auto level = [&](int64_t i) {
      const kernel::Recording recording{silence.data(), 100, 1, mixing.levels[static_cast<size_t>(i % 3)]};
      return static_cast<double>(recording.level) +
             static_cast<double>(kernel::draw_waveform(recording, length, i, change, random.stream).gain);
    };
    for (int64_t i = 0; i < batch; ++i) {
      const int64_t partner = batch - 1 - i;
      const bool alone = i == partner;
      const auto r = static_cast<double>(beta(ratios.stream, static_cast<uint64_t>(i), alpha));
      const double p = 1 / (1 + std::pow(10, (level(i) - level(partner)) / 20) * (1 - r) / r);
      const double norm = std::sqrt(p * p + (1 - p) * (1 - p));
      const auto at = [](const std::vector<float>& values, int64_t index) {
        return static_cast<double>(values[static_cast<size_t>(index)]);
      };
      for (int64_t t = 0; t < stride; ++t) {
        const double own = at(x, i * stride + t), other = at(x, partner * stride + t);
        const bool unchanged = alone || t >= length;
        EXPECT_NEAR(at(mixed[0], i * stride + t), unchanged ? own : (p * own + (1 - p) * other) / norm, 1e-5);
      }
      for (int64_t c = 0; c < classes; ++c) {
        const double own = at(targets, i * classes + c), other = at(targets, partner * classes + c);
        EXPECT_NEAR(at(mixed[1], i * classes + c), alone ? own : r * own + (1 - r) * other, 1e-6);
      }
    }
  }
}

TEST(WaveformMix, ExtremeRatiosAndLevelsGiveFiniteWeights) {
  for (const float ratio : {0.0f, 1e-30f, 0.5f, 1.0f}) {
    for (const float level : {-100.0f, 0.0f}) {
      const auto [own, partner] = kernel::mixing_weights(ratio, level, -100 - level);
      EXPECT_TRUE(std::isfinite(own) && std::isfinite(partner)) << ratio << " " << level;
      EXPECT_NEAR(own * own + partner * partner, 1, 1e-5);
    }
  }
  const auto equal = kernel::mixing_weights(0.5f, -20, -20);
  EXPECT_NEAR(equal.own, equal.partner, 1e-6);
}

TEST(WaveformMix, GivesTheSameBitsAtAnyThreadCount) {
  expect_same_bits_at_any_thread_count([] { return Mixing{9}.run(); });
  EXPECT_NE(Mixing{9}.run(Device::cpu, 1), Mixing{9}.run(Device::cpu, 5));
}

TEST(WaveformMix, CudaAgreesWithTheCpu) {
  MELGRAD_SKIP_WITHOUT_CUDA();
  for (const int64_t batch : {1, 2, 9}) {
    const Mixing mixing{batch};
    const Results actual = in_every_order([&] { return mixing.run(Device::cuda); }), expected = mixing.run();
    expect_close(actual[0], expected[0], 1e-5, 1e-5);
    expect_close(actual[1], expected[1], 1e-5, 1e-5);
  }
}

TEST(WaveformMix, RefusesAlphaZero) {
  for (const Device device : available_devices()) {
    const Randomness random(1, 2, 3, device);
    EXPECT_THROW(kernel::waveform_mix(Stream::of(device), nullptr, nullptr, nullptr, nullptr, {2, 1, 1}, 1, {},
                                      random.stream, 0, random.stream),
                 Error);
  }
}

}  // namespace
}  // namespace melgrad::test
