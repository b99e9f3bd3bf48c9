#include "framework/dataset/fingerprint.h"

#include <gtest/gtest.h>

#include "framework/audio/resampler.h"
#include "framework/dataset/same_recording.h"
#include "tests/support/errors.h"
#include "tests/support/signals.h"

namespace melgrad::test {
namespace {

constexpr int rate = 22050;

Fingerprint fingerprint_of(std::span<const float> samples, const MelSettings& settings = {}) {
  return make_fingerprint(log_mel(samples, settings), settings);
}

std::vector<float> resampled(const std::vector<float>& samples, int from, int to) {
  std::vector<float> result;
  Resampler resampler(from, to);
  resampler.process(samples, result);
  resampler.finish(result);
  return result;
}

TEST(Fingerprint, FindsACopyThatIsQuieterResampledOrTrimmed) {
  const std::vector<float> music = unrelated_music(1, 10);
  const Fingerprint original = fingerprint_of(music);
  const auto expect_found = [&](const std::vector<float>& copy, double least_agreement, double offset) {
    const std::vector<Fingerprint> prints{original, fingerprint_of(copy), fingerprint_of(unrelated_music(2, 10))};
    const std::vector<RecordingPair> pairs = find_same_recordings(prints);
    ASSERT_EQ(pairs.size(), 1u);
    EXPECT_EQ(pairs[0].first, 0u);
    EXPECT_EQ(pairs[0].second, 1u);
    EXPECT_GT(pairs[0].agreement, least_agreement);
    EXPECT_NEAR(pairs[0].offset_seconds, offset, 0.03);
  };
  expect_found(scaled(music, 0.5f), 0.99, 0);
  expect_found(resampled(resampled(music, rate, 8000), 8000, rate), 0.95, 0);
  expect_found({music.begin() + rate, music.end()}, 0.9, 1);
  expect_found({music.begin(), music.end() - rate}, 0.9, 0);
  expect_found(scaled({music.begin() + 12345, music.end() - 777}, 0.25f), 0.9, 12345.0 / rate);
}

TEST(Fingerprint, OffsetIsNegativeIfTheTrimmedCopyComesFirst) {
  const std::vector<float> music = unrelated_music(1, 10);
  const std::vector<Fingerprint> prints{fingerprint_of(std::span(music).subspan(size_t{2} * rate)),
                                        fingerprint_of(music)};
  const std::vector<RecordingPair> pairs = find_same_recordings(prints);
  ASSERT_EQ(pairs.size(), 1u);
  EXPECT_NEAR(pairs[0].offset_seconds, -2, 0.03);
}

TEST(Fingerprint, DistinguishesUnrelatedRecordings) {
  std::vector<Fingerprint> prints;
  for (uint64_t seed = 0; seed < 12; ++seed) prints.push_back(fingerprint_of(unrelated_music(seed, 10)));
  EXPECT_TRUE(find_same_recordings(prints).empty());
  EXPECT_NEAR(compare(prints[0], prints[1], 0).share, 0.5, 0.1);
}

TEST(Fingerprint, ASteadySoundMatchesNothing) {
  std::vector<Fingerprint> prints;
  for (const char* name : {"silence", "constant", "chord", "silence", "constant", "chord"}) {
    prints.push_back(fingerprint_of(synthetic_signal(name, rate, 10)));
  }
  EXPECT_TRUE(find_same_recordings(prints).empty());
}

TEST(Fingerprint, WorksWithOtherSettingsThatHaveEnoughBins) {
  const std::vector<float> music = unrelated_music(3, 10);
  const std::vector<float> trimmed(music.begin() + rate, music.end());
  const std::vector<MelSettings> table{{.hop_length = 256},
                                       {.hop_length = 1024},
                                       {.n_mels = 48},
                                       {.n_fft = 1024, .hop_length = 128, .htk = true},
                                       {.fmin = 100, .fmax = 8000}};
  for (const MelSettings& settings : table) {
    const std::vector<Fingerprint> prints{fingerprint_of(music, settings), fingerprint_of(trimmed, settings)};
    EXPECT_EQ(find_same_recordings(prints).size(), 1u) << description(settings);
  }
  EXPECT_TRUE(fingerprint_of(music, {.n_mels = 16}).words.empty());
  EXPECT_TRUE(fingerprint_of(music, {.fmin = 4000}).words.empty());
}

TEST(Fingerprint, AClipThatIsTooShortHasNone) {
  EXPECT_TRUE(fingerprint_of(unrelated_music(4, 0.3)).words.empty());
  EXPECT_TRUE(fingerprint_of(std::vector<float>{0.5f}).words.empty());
  const std::vector<Fingerprint> prints{fingerprint_of(unrelated_music(4, 3)), fingerprint_of(unrelated_music(4, 3))};
  EXPECT_TRUE(find_same_recordings(prints).empty()) << "less than 5 s in common";
}

}  // namespace
}  // namespace melgrad::test
