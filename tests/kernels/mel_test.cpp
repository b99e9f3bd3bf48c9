#include "kernels/mel.h"

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

TEST(LogMelKernel, GivesTheSameBitsAtAnyThreadCount) {
  const std::vector<float> signal = synthetic_signal("noise", 22050, 9);
  expect_same_bits_at_any_thread_count(
      [&] { return decibels(Device::cpu, {}, {.count = 333, .n_fft = 2048, .hop_length = 512}, signal); });
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
