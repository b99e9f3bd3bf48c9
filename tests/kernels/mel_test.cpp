#include "kernels/mel.h"

#include <cmath>
#include <numeric>

#include "framework/audio/mel_filter_bank.h"
#include "tests/support/kernel_test.h"
#include "tests/support/signals.h"

namespace melgrad::test {
namespace {

// The log-mel spectrogram in dB, computed on a device, with an arbitrary window.
std::vector<float> decibels(Device device, const MelSettings& settings, const kernel::MelFrames& frames,
                            const std::vector<float>& signal) {
  std::vector<double> window;
  for (int64_t i = 0; i < frames.n_fft; ++i) window.push_back(static_cast<double>(1 + i % 3));
  const MelFilterBank bank(settings, device);
  Stream& stream = Stream::of(device);
  const DeviceVector<float> samples(stream, signal), db(stream, settings.n_mels * frames.count);
  const DeviceVector<double> device_window(stream, window);
  kernel::log_mel_spectrogram(stream, samples, device_window, db, bank.filters(), frames);
  return db.values();
}

constexpr kernel::FftPrecision precisions[] = {kernel::FftPrecision::float32, kernel::FftPrecision::float64};

TEST(LogMelKernel, GivesTheSameBitsAtAnyThreadCount) {
  const std::vector<float> signal = synthetic_signal("noise", 22050, 9);
  for (const kernel::FftPrecision precision : precisions) {
    const kernel::MelFrames frames{.count = 333, .n_fft = 2048, .hop_length = 512, .precision = precision};
    expect_same_bits_at_any_thread_count([&] { return decibels(Device::cpu, {}, frames, signal); });
  }
}

// The position of a frame decides the lane that computes it, and whether its group of lanes is full.
TEST(LogMelKernel, GivesAFrameTheSameBitsAtAnyPosition) {
  const std::vector<float> signal = synthetic_signal("noise", 22050, 1);
  for (const kernel::FftPrecision precision : precisions) {
    for (const int n_fft : {100, 2048}) {
      const MelSettings settings = {.n_fft = n_fft, .n_mels = 20};
      const auto from = [&](int64_t first) {
        const kernel::MelFrames frames{
            .count = 20 - first, .n_fft = n_fft, .hop_length = 501, .start = first * 501, .precision = precision};
        return decibels(Device::cpu, settings, frames, signal);
      };
      const std::vector<float> all = from(0);
      for (int64_t first = 1; first < 20; ++first) {
        const std::vector<float> last = from(first);
        for (int64_t mel = 0; mel < 20; ++mel) {
          for (int64_t t = first; t < 20; ++t) {
            ASSERT_EQ(last[static_cast<size_t>(mel * (20 - first) + t - first)], all[static_cast<size_t>(mel * 20 + t)])
                << "frame " << t << " of those from " << first;
          }
        }
      }
    }
  }
}

TEST(LogMelKernel, TakesSamplesOutsideTheSignalAsZeros) {
  const std::vector<float> signal = synthetic_signal("noise", 22050, 0.2);
  const auto length = static_cast<int64_t>(signal.size());
  std::vector<float> padded(6000);
  padded.insert(padded.end(), signal.begin(), signal.end());
  padded.resize(padded.size() + 6000);
  for (const Device device : available_devices()) {
    for (const int n_fft : {1000, 1024, 2048}) {
      SCOPED_TRACE(testing::Message() << name_of(device) << ", n_fft " << n_fft);
      const MelSettings settings = {.n_fft = n_fft, .n_mels = 20};
      kernel::MelFrames frames{.count = 30, .n_fft = n_fft, .hop_length = 300, .start = -2500, .length = length};
      const std::vector<float> implied = decibels(device, settings, frames, signal);
      frames.start += 6000;
      frames.length = static_cast<int64_t>(padded.size());
      expect_same_bits(implied, decibels(device, settings, frames, padded));
    }
  }
}

// The frame is an impulse, whose bins are all 1, so the sum of a filter with one weight is this weight.
TEST(LogMelKernel, ComputesDecibelsOfEveryPower) {
  std::vector<float> powers = {0, 1e-30f, 1e-10f, 1};
  for (float power = 1e-10f; power < 5e37f; power *= 1.0007f) powers.push_back(power);
  const auto n = static_cast<int64_t>(powers.size());
  std::vector<int32_t> first_bin(powers.size()), offset(powers.size() + 1);
  std::iota(offset.begin(), offset.end(), 0);
  const std::vector<float> impulse = {1, 0};
  const std::vector<double> window = {1, 1};
  for (const kernel::FftPrecision precision : precisions) {
    std::vector<float> db(powers.size());
    kernel::log_mel_spectrogram(
        Stream::of(Device::cpu), impulse.data(), window.data(), db.data(),
        {.n_mels = n, .n_weights = n, .first_bin = first_bin.data(), .offset = offset.data(), .weights = powers.data()},
        {.count = 1, .n_fft = 2, .hop_length = 1, .precision = precision});
    for (size_t i = 0; i < powers.size(); ++i) {
      const double expected = 10 * std::log10(std::max(1e-10, static_cast<double>(powers[i])));
      ASSERT_NEAR(db[i], expected, 1e-6 + 3e-7 * std::abs(expected)) << powers[i];
    }
  }
}

// Errors of float32 grow with the distance from the loudest value. log_mel.cpp uses it up to 80 dB below.
TEST(LogMelKernel, InFloat32DiffersLittleFromFloat64) {
  for (const char* name : {"noise", "sweep", "chord", "clicks"}) {
    const std::vector<float> signal = synthetic_signal(name, 22050, 3);
    const auto limited = [&](kernel::FftPrecision precision, float top_db) {
      const kernel::MelFrames frames{.count = 120, .n_fft = 2048, .hop_length = 512, .precision = precision};
      std::vector<float> db = decibels(Device::cpu, {}, frames, signal);
      kernel::limit_dynamic_range(Stream::of(Device::cpu), db.data(), static_cast<int64_t>(db.size()), top_db);
      return db;
    };
    for (const auto& [top_db, tolerance] : {std::pair{60.0f, 2e-4}, {80.0f, 1e-3}}) {
      expect_close(limited(kernel::FftPrecision::float32, top_db), limited(kernel::FftPrecision::float64, top_db), 0,
                   tolerance);
    }
  }
}

TEST(LogMelKernel, CudaAgreesWithTheCpu) {
  MELGRAD_SKIP_WITHOUT_CUDA();
  const std::vector<float> signal = synthetic_signal("chord", 22050, 0.5);
  for (const auto& [n_mels, frames] : {std::pair{1, kernel::MelFrames{1, 31, 1}},
                                       {31, {7, 441, 100}},
                                       {33, {33, 512, 200}},
                                       {40, {2, 1103, 1500}},
                                       {3, {0, 64, 64}}}) {
    SCOPED_TRACE(testing::Message() << n_mels << " bands, n_fft " << frames.n_fft);
    const MelSettings settings = {.n_fft = static_cast<int>(frames.n_fft), .n_mels = n_mels};
    const auto on = [&, shape = frames](Device device) { return decibels(device, settings, shape, signal); };
    expect_close(in_every_order([&] { return on(Device::cuda); }), on(Device::cpu), 0, 5e-5);
  }
}

// Each n_fft has a kernel of its own. Hops are odd, even, and longer than a frame; the filters of the last
// but one case do not fit in shared memory.
TEST(LogMelKernel, CudaAgreesWithTheCpuInOneLaunch) {
  MELGRAD_SKIP_WITHOUT_CUDA();
  const std::vector<float> signal = synthetic_signal("chord", 22050, 4);
  for (const auto& [n_mels, frames] : {std::pair{1, kernel::MelFrames{1, 256, 64}},
                                       {33, {70, 256, 33}},
                                       {40, {35, 512, 700}},
                                       {31, {18, 1024, 1000}},
                                       {128, {41, 2048, 512}},
                                       {65, {9, 4096, 1}},
                                       {50, {17, 4096, 2048}},
                                       {9000, {3, 4096, 2048}},
                                       {3, {0, 512, 64}}}) {
    SCOPED_TRACE(testing::Message() << n_mels << " bands, n_fft " << frames.n_fft);
    const MelSettings settings = {.n_fft = static_cast<int>(frames.n_fft), .n_mels = n_mels};
    const auto on = [&, shape = frames](Device device) { return decibels(device, settings, shape, signal); };
    expect_close(in_every_order([&] { return on(Device::cuda); }), on(Device::cpu), 0, 5e-5);
  }
}

// The frames are so long that the kernel computes them in several chunks.
TEST(LogMelKernel, CudaAgreesWithTheCpuOverSeveralChunks) {
  MELGRAD_SKIP_WITHOUT_CUDA();
  const kernel::MelFrames frames{33, 1 << 16, 101};
  const MelSettings settings = {.n_fft = 1 << 16, .n_mels = 35};
  const std::vector<float> signal = synthetic_signal("noise", 22050, 4);
  expect_close(decibels(Device::cuda, settings, frames, signal), decibels(Device::cpu, settings, frames, signal), 0,
               5e-5);
}

TEST(LimitDynamicRange, CudaGivesTheSameBitsAsTheCpu) {
  MELGRAD_SKIP_WITHOUT_CUDA();
  const auto limited = [](Device device, const std::vector<float>& values) {
    const Array db(Stream::of(device), values);
    kernel::limit_dynamic_range(Stream::of(device), db.floats(), static_cast<int64_t>(values.size()), 20);
    return db.values();
  };
  for (const int64_t n : {0, 1, 31, 33, 1009, 70001}) {
    const auto values = random_values(n, 1, 15 * unit_deviation, -40);
    expect_same_bits(in_every_order([&] { return limited(Device::cuda, values); }), limited(Device::cpu, values));
  }
}

}  // namespace
}  // namespace melgrad::test
