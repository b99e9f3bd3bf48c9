#include "framework/dataset/audio_survey.h"

#include <gtest/gtest.h>

#include <limits>

#include "tests/support/audio_files.h"
#include "tests/support/errors.h"

namespace melgrad::test {
namespace {

TEST(AudioSurvey, MeasuresRateLengthAndPeak) {
  const TemporaryFolder folder;
  const AudioSurvey survey = survey_audio(write_sine(folder / "sine.wav", 440, 1.5));
  EXPECT_EQ(survey.state, AudioState::readable);
  EXPECT_EQ(survey.sample_rate, 22050);
  EXPECT_NEAR(survey.seconds, 1.5, 1e-9);
  EXPECT_NEAR(survey.peak, 0.5, 1e-3);
  EXPECT_EQ(survey.clipped_share, 0);
}

TEST(AudioSurvey, CountsRunsAtFullScaleInEachChannel) {
  const TemporaryFolder folder;
  Sound sound{.samples = std::vector<float>(2000), .channels = 2};
  for (size_t i = 0; i < 10; ++i) sound.samples[200 + 2 * i] = -1;         // ten in a row on the left
  for (size_t i = 0; i < 2; ++i) sound.samples[1001 + 2 * i] = 1;          // two in a row are not clipping
  for (size_t i = 0; i < 100; i += 2) sound.samples[1201 + 2 * i] = 1.0f;  // single peaks are not clipping
  const AudioSurvey survey = survey_audio(write_sound(folder / "clipped.wav", sound));
  EXPECT_NEAR(survey.clipped_share, 10.0 / 2000, 1e-12);
  EXPECT_NEAR(survey.peak, 1, 1e-4);
}

TEST(AudioSurvey, NamesTheStateOfAFileWithoutUsableAudio) {
  const TemporaryFolder folder;
  EXPECT_EQ(survey_audio(write_text(folder / "zero.wav")).state, AudioState::empty);
  EXPECT_EQ(survey_audio(write_sound(folder / "no_samples.wav", {})).state, AudioState::empty);
  EXPECT_EQ(survey_audio(write_text(folder / "text.wav", "no audio")).state, AudioState::unreadable);
  EXPECT_EQ(survey_audio(folder / "absent.wav").state, AudioState::unreadable);
  EXPECT_EQ(survey_audio(folder.path()).state, AudioState::unreadable);
  Sound sound{.samples = std::vector<float>(1000, 0.1f)};
  sound.samples[500] = std::numeric_limits<float>::quiet_NaN();
  const AudioSurvey survey = survey_audio(write_sound(folder / "nan.wav", sound, SF_FORMAT_WAV | SF_FORMAT_FLOAT));
  EXPECT_EQ(survey.state, AudioState::non_finite);
  expect_contains(survey.error, "nan.wav");
}

}  // namespace
}  // namespace melgrad::test
