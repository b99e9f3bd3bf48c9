#include "framework/dataset/dataset_check.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>

#include "framework/dataset/track_prints.h"
#include "tests/support/audio_files.h"
#include "tests/support/errors.h"

namespace melgrad::test {
namespace {

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

}  // namespace
}  // namespace melgrad::test
