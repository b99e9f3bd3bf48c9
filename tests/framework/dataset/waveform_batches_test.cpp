// Features that are computed within the training step agree with those of whole recordings, which validation and
// prediction use.
#include "framework/dataset/waveform_batches.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/compare.h"
#include "tests/support/devices.h"
#include "tests/support/signals.h"

namespace melgrad::test {
namespace {

constexpr int rate = 22050;
constexpr int64_t frames = 16;
constexpr Augmentation no_augmentation{.jitter = {0, 0, 0}, .spec_augment = {0, 0, 0, 0}, .mixup_alpha = 0};

MelSettings settings() { return {.n_fft = 512, .hop_length = 128, .n_mels = 40, .top_db = 1000}; }

Standardisation standardisation() {
  return {.mean = std::vector<float>(40, -20), .deviation = std::vector<float>(40, 12), .top_db = 60};
}

// Loud and quiet parts, so that the limit of the range depends on the crop.
std::vector<float> recording(const char* signal, float quieter_from) {
  std::vector<float> samples = synthetic_signal(signal, rate, 0.5);
  for (size_t i = 0; i < samples.size(); ++i) {
    if (static_cast<float>(i) > quieter_from * static_cast<float>(samples.size())) samples[i] *= 0.01f;
  }
  return samples;
}

// Returns the samples with the values that they have after rounding to 16 bits.
std::vector<float> restored(const RecordingSamples& recording) {
  std::vector<float> samples;
  for (const int16_t sample : recording.samples) samples.push_back(static_cast<float>(sample) * recording.scale);
  return samples;
}

class WaveformBatchesOnDevice : public testing::TestWithParam<Device> {
 protected:
  void SetUp() override { MELGRAD_SKIP_WITHOUT(GetParam()); }
};

TEST_P(WaveformBatchesOnDevice, AgreeWithTheClipsThatPredictionCuts) {
  const std::vector<RecordingSamples> recordings{quantise(recording("chord", 0.3f)),
                                                 quantise(recording("sweep", 0.6f))};
  const std::vector<int> labels{1, 0};
  const RecordingStore store(recordings, labels, 2, GetParam());
  const CropOptions options{.crop_frames = frames, .augmentation = no_augmentation};
  const WaveformBatches batches(store, {"a", "b"}, settings(), standardisation(), options);

  const std::vector<int64_t> picks{0, 1, 1, 0, 1};
  const DeviceArray<int64_t> device_picks(picks, GetParam());
  Generator generator(7, GetParam()), on_host(7);
  generator.set_step(3);
  on_host.set_step(3);
  const Batch batch = batches.batch({picks, device_picks.data()}, generator);
  ASSERT_EQ(batch.x.shape(), (Shape{5, 40, frames, 1}));
  EXPECT_EQ(batch.targets.to_vector(), (std::vector<float>{0, 1, 1, 0, 1, 0, 0, 1, 1, 0}));

  const RandomStream random = on_host.draw();
  const int64_t length = (frames - 1) * settings().hop_length + settings().n_fft;
  for (size_t i = 0; i < picks.size(); ++i) {
    const std::vector<float> samples = restored(recordings[static_cast<size_t>(picks[i])]);
    const kernel::Recording table{nullptr, std::ssize(samples), 1, 0};
    const int64_t start = kernel::draw_waveform(table, length, static_cast<int64_t>(i), {}, random).start;
    // log_mel pads half a window on each side: the first frames that lie within the samples are n_fft / 2 later.
    const std::vector<float> crop(samples.begin() + start, samples.begin() + start + length);
    const LogMel clip = log_mel(crop, settings());
    const int label = 0;
    const ClipStore clips({&clip, 1}, {&label, 1}, 2, standardisation(), GetParam());
    const int64_t pick = 0, first_frame = settings().n_fft / 2 / settings().hop_length;
    const Batch expected = clips.crops({&pick, 1}, {&first_frame, 1}, frames, DType::float32);
    const auto all = batch.x.to_vector();
    const auto begin = all.begin() + static_cast<ptrdiff_t>(i) * 40 * frames;
    expect_close({std::vector<float>(begin, begin + 40 * frames)}, {expected.x.to_vector()}, 0, 1e-3 / 12);
  }
}

TEST_P(WaveformBatchesOnDevice, DependOnlyOnSeedAndStep) {
  const std::vector<RecordingSamples> recordings{quantise(recording("chord", 0.3f)),
                                                 quantise(recording("noise", 0.6f))};
  const std::vector<int> labels{1, 0};
  const RecordingStore store(recordings, labels, 2, GetParam());
  CropOptions options{.crop_frames = frames};
  options.waveform = {.speed = 0.1f, .gain = 6};
  options.waveform_mixup_alpha = 1;
  const WaveformBatches batches(store, {"a", "b"}, settings(), standardisation(), options);
  const std::vector<int64_t> picks{0, 1, 1};
  const DeviceArray<int64_t> device_picks(picks, GetParam());
  const auto batch = [&](uint64_t seed, uint64_t step) {
    Generator generator(seed, GetParam());
    generator.set_step(step);
    const Batch result = batches.batch({picks, device_picks.data()}, generator);
    std::vector<float> values = result.x.to_vector();
    for (const float target : result.targets.to_vector()) values.push_back(target);
    return values;
  };
  EXPECT_EQ(batch(1, 2), batch(1, 2));
  EXPECT_NE(batch(1, 2), batch(1, 3));
  EXPECT_NE(batch(1, 2), batch(2, 2));
}

INSTANTIATE_TEST_SUITE_P(Devices, WaveformBatchesOnDevice, testing::ValuesIn(devices_of_build), name_of_device);

TEST(Quantise, KeepsTheSamplesWithinHalfAStepAndMeasuresTheLevel) {
  const std::vector<float> samples = sine(1000, 0.1, rate);  // amplitude 0.5: -9.03 dB
  const RecordingSamples recording = quantise(samples);
  const std::vector<float> again = restored(recording);
  for (size_t i = 0; i < samples.size(); ++i) EXPECT_NEAR(again[i], samples[i], 0.51 * 0.5 / 32767);
  EXPECT_NEAR(recording.level, 20 * std::log10(0.5 / std::sqrt(2)), 0.01);
  EXPECT_EQ(*std::ranges::max_element(recording.samples), 32767);
  const RecordingSamples silence = quantise(std::vector<float>(10));
  EXPECT_EQ(silence.level, -100);
  EXPECT_EQ(silence.samples, std::vector<int16_t>(10));
}

}  // namespace
}  // namespace melgrad::test
