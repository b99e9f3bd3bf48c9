#include "framework/dataset/dataset_check.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>

#include "framework/dataset/gtzan_faults.h"
#include "framework/dataset/track_prints.h"
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

// A data set of recordings that have nothing in common. A test adds what must be found.
class DatasetCheck : public testing::Test {
 protected:
  DatasetCheck() {
    uint64_t seed = 1;
    for (const char* name : {"low/a.wav", "low/b.wav", "high/a.wav", "high/b.wav"}) {
      write_sound(folder_ / name, {unrelated_music(seed++, 8)});
    }
  }

  std::vector<Finding> findings(const CheckLimits& limits = {}) const {
    const Dataset dataset = load_dataset(folder_.path());
    std::vector<AudioSurvey> surveys;
    std::vector<size_t> readable;
    for (size_t i = 0; i < dataset.tracks.size(); ++i) {
      surveys.push_back(survey_audio(dataset.tracks[i].path));
      if (surveys.back().state == AudioState::readable) readable.push_back(i);
    }
    Progress progress("", 0, "", ProgressMode::quiet);
    const TrackPrints prints = extract_prints(dataset, readable, {}, "", progress, Device::cpu);
    return check_dataset(dataset, surveys, prints.prints, limits);
  }

  // Expects one finding, of this kind and with these files, whose line contains `words`.
  void expect_only(const std::string& kind, const std::vector<std::string>& files, const std::string& words,
                   const CheckLimits& limits = {}) const {
    const std::vector<Finding> found = findings(limits);
    ASSERT_EQ(found.size(), 1u) << (found.empty() ? "nothing" : found[0].detail + " and " + found.back().detail);
    EXPECT_EQ(found[0].kind, kind);
    EXPECT_EQ(found[0].files, files);
    expect_contains(found[0].detail, words);
    EXPECT_EQ(found[0].detail.find('\n'), std::string::npos);
  }

  TemporaryFolder folder_;
};

TEST_F(DatasetCheck, FindsNothingInASoundDataSet) { EXPECT_TRUE(findings().empty()); }

TEST_F(DatasetCheck, FindsFilesThatCannotBeRead) {
  write_text(folder_ / "low/c.wav", "no audio");
  expect_only("unreadable", {"low/c.wav"}, "c.wav");
}

TEST_F(DatasetCheck, FindsEmptyFiles) {
  write_text(folder_ / "low/c.wav");
  expect_only("empty", {"low/c.wav"}, "c.wav");
}

TEST_F(DatasetCheck, FindsSamplesThatAreNotFinite) {
  Sound sound{unrelated_music(9, 8)};
  sound.samples[5] = std::numeric_limits<float>::infinity();
  write_sound(folder_ / "low/c.wav", sound, SF_FORMAT_WAV | SF_FORMAT_FLOAT);
  expect_only("non_finite", {"low/c.wav"}, "c.wav");
}

TEST_F(DatasetCheck, FindsTruncatedFiles) {
  const fs::path file = write_sound(folder_ / "low/c.ogg", {unrelated_music(9, 10)}, SF_FORMAT_OGG | SF_FORMAT_VORBIS);
  fs::resize_file(file, fs::file_size(file) * 3 / 4);
  expect_only("truncated", {"low/c.ogg"}, "c.ogg");
}

TEST_F(DatasetCheck, FindsSilence) {
  write_sound(folder_ / "low/c.wav", {scaled(unrelated_music(9, 8), 1e-4f)});
  expect_only("silent", {"low/c.wav"}, "c.wav: its peak is");
}

TEST_F(DatasetCheck, FindsClipping) {
  std::vector<float> loud = scaled(unrelated_music(9, 8), 20);
  for (float& sample : loud) sample = std::clamp(sample, -1.0f, 1.0f);
  write_sound(folder_ / "low/c.wav", {loud});
  expect_only("clipped", {"low/c.wav"}, "% of its samples");
}

TEST_F(DatasetCheck, FindsAnotherSampleRate) {
  write_sound(folder_ / "low/c.wav", {unrelated_music(9, 8, 44100), 44100});
  expect_only("sample_rate", {"low/c.wav"}, "44100 Hz, most have 22050 Hz");
}

TEST_F(DatasetCheck, FindsShortAndLongFilesAgainstTheMedianOrTheLimitsGiven) {
  write_sound(folder_ / "low/c.wav", {unrelated_music(9, 1.5)});
  expect_only("short", {"low/c.wav"}, "1.50 s, less than 2.00 s");
  EXPECT_TRUE(findings({.shortest_seconds = 1}).empty());
  write_sound(folder_ / "low/c.wav", {unrelated_music(9, 33)});
  expect_only("long", {"low/c.wav"}, "33.0 s, more than 32.0 s");
  EXPECT_TRUE(findings({.longest_seconds = 60}).empty());
}

TEST_F(DatasetCheck, FindsStrayFiles) {
  write_text(folder_ / "low/._a.wav", "Mac OS X");
  expect_only("stray_file", {"low/._a.wav"}, "low/._a.wav");
}

TEST_F(DatasetCheck, ReportsWhatLoadingLeftOut) {
  write_text(folder_ / "low/c.m4a", "AAC");
  expect_only("left_out", {}, "c.m4a");
}

TEST_F(DatasetCheck, FindsEqualFilesAndThatTheirLabelsDiffer) {
  fs::copy_file(folder_ / "low/a.wav", folder_ / "high/c.wav");
  expect_only("identical", {"high/c.wav", "low/a.wav"}, "their labels differ: high and low");
}

TEST_F(DatasetCheck, FindsARecordingReencodedAndTrimmed) {
  std::vector<float> copy = scaled(unrelated_music(1, 8), 0.5f);
  copy.erase(copy.begin(), copy.begin() + 22050);
  write_sound(folder_ / "low/c.ogg", {copy}, SF_FORMAT_OGG | SF_FORMAT_VORBIS);
  expect_only("same_recording", {"low/a.wav", "low/c.ogg"}, "the second starts 1.0 s later");
}

TEST_F(DatasetCheck, FindsALabelWithOneFile) {
  write_sound(folder_ / "lonely/a.wav", {unrelated_music(9, 8)});
  expect_only("lone_label", {"lonely/a.wav"}, "lonely: only lonely/a.wav");
}

TEST_F(DatasetCheck, FindsThatThereIsOneLabel) {
  fs::remove_all(folder_ / "low");
  expect_only("only_label", {}, "all 2 tracks have the label 'high'");
}

TEST_F(DatasetCheck, FindsUnbalancedClasses) {
  for (const char* name : {"low/c.wav", "low/d.wav", "low/e.wav", "low/f.wav"}) {
    write_sound(folder_ / name, {unrelated_music(std::hash<std::string>()(name), 8)});
  }
  expect_only("imbalance", {}, "low has 6 tracks, high has 2");
}

TEST_F(DatasetCheck, FindsGroupsInSeveralLabels) {
  write_text(folder_ / "manifest.csv",
             "path,label,group\nlow/a.wav,low,Ann\nlow/b.wav,low,\nhigh/a.wav,high,Ann\nhigh/b.wav,high,\n");
  expect_only("group_across_labels", {"high/a.wav", "low/a.wav"}, "Ann: high, low");
}

TEST(GtzanFaults, AreNamedIfTheDataSetIsGtzan) {
  Dataset dataset{
      .labels = {"blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae", "rock"}};
  const auto add_tracks = [&](int per_label) {
    dataset.tracks.clear();
    for (size_t label = 0; label < dataset.labels.size(); ++label) {
      const std::string& genre = dataset.labels[label];
      for (int i = 0; i < per_label; ++i) {
        dataset.tracks.push_back(
            {.name = fmt::format("{0}/{0}.{1:05}.wav", genre, i), .label = static_cast<int>(label)});
      }
    }
  };
  add_tracks(100);
  const std::vector<KnownFault> faults = known_gtzan_faults(dataset);
  EXPECT_EQ(faults.size(), 71u) << "the 70 tracks that the fault-filtered split leaves out, and jazz.00054";
  const auto fault_of = [&](const std::string& name) {
    for (const KnownFault& known : faults) {
      if (dataset.tracks[known.track].name == name) return known.fault;
    }
    return std::string();
  };
  expect_contains(fault_of("jazz/jazz.00054.wav"), "cannot be read");
  expect_contains(fault_of("pop/pop.00021.wav"), "fault-filtered");
  expect_contains(fault_of("jazz/jazz.00033.wav"), "the same excerpt as jazz.00051");
  expect_contains(fault_of("reggae/reggae.00081.wav"), "the same excerpt as reggae.00082");
  expect_contains(fault_of("reggae/reggae.00086.wav"), "distorted");
  EXPECT_EQ(fault_of("pop/pop.00000.wav"), "");
  add_tracks(64);
  EXPECT_TRUE(known_gtzan_faults(dataset).empty()) << "another data set with the names of GTZAN";
}

}  // namespace
}  // namespace melgrad::test
