#include <gtest/gtest.h>
#include <sndfile.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>

#include "apps/synth/composer.h"
#include "apps/synth/dataset_writer.h"
#include "apps/synth/exact_math.h"
#include "apps/synth/filter.h"
#include "apps/synth/instruments.h"
#include "apps/synth/styles.h"
#include "framework/io/atomic_file.h"
#include "kernels/device/error.h"
#include "tests/support/errors.h"
#include "tests/support/repeat.h"
#include "tests/support/temporary_folder.h"

namespace melgrad::test {
namespace {

constexpr SynthOptions brief = {.tracks_per_genre = 2, .seconds = 2, .sample_rate = 11025, .seed = 7};

// The relative path and the bytes of every file below a folder.
std::map<std::string, std::string> contents(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files[entry.path().lexically_relative(folder)] = read_file(entry.path());
  }
  return files;
}

// The amplitude of one frequency in a signal, by one term of the Fourier transform.
double amplitude_at(const std::vector<float>& samples, double hertz, double sample_rate) {
  double real = 0, imaginary = 0;
  for (size_t i = 0; i < samples.size(); ++i) {
    const double angle = 2 * M_PI * hertz * static_cast<double>(i) / sample_rate;
    real += samples[i] * std::cos(angle);
    imaginary += samples[i] * std::sin(angle);
  }
  return 2 * std::hypot(real, imaginary) / static_cast<double>(samples.size());
}

TEST(SynthMath, AgreesWithTheMathLibrary) {
  for (int i = 0; i <= 1000; ++i) {
    const float x = static_cast<float>(i) / 1000;
    EXPECT_NEAR(synth::sine(x), std::sin(2 * M_PI * x), 5e-6);
    const float exponent = 40 * x - 20;
    EXPECT_NEAR(synth::exp2(exponent) / std::exp2(static_cast<double>(exponent)), 1, 3e-7);
  }
  EXPECT_NEAR(synth::gain_of_db(-20), 0.1, 1e-6);
  EXPECT_NEAR(synth::hertz_of_midi(60), 261.6256, 1e-3);
  EXPECT_NEAR(synth::warped_frequency(2000, 22050), std::tan(M_PI * 2000 / 22050), 1e-5);
}

// Measures the gain of a steady sine that passes the filter.
TEST(SynthFilter, HasTheRequestedGain) {
  constexpr float rate = 22050;
  const auto gain_db = [](synth::Filter filter, double hertz) {
    std::vector<float> out;
    for (int i = 0; i < 22050; ++i) {
      const float y = filter(static_cast<float>(std::sin(2 * M_PI * hertz * i / rate)));
      if (i >= 11025) out.push_back(y);
    }
    return 20 * std::log10(amplitude_at(out, hertz, rate));
  };
  EXPECT_NEAR(gain_db(synth::Filter::low_pass(1000, 0.7071f, rate), 1000), -3.01, 0.05);
  EXPECT_NEAR(gain_db(synth::Filter::low_pass(1000, 0.7071f, rate), 100), 0, 0.05);
  EXPECT_NEAR(gain_db(synth::Filter::high_pass(1000, 0.7071f, rate), 1000), -3.01, 0.05);
  EXPECT_NEAR(gain_db(synth::Filter::band_pass(1000, 4, rate), 1000), 0, 0.05);
  EXPECT_NEAR(gain_db(synth::Filter::bell(1000, 1, 6, rate), 1000), 6, 0.05);
  EXPECT_NEAR(gain_db(synth::Filter::low_shelf(500, -6, rate), 50), -6, 0.1);
  EXPECT_NEAR(gain_db(synth::Filter::low_shelf(500, -6, rate), 8000), 0, 0.1);
  EXPECT_NEAR(gain_db(synth::Filter::high_shelf(1000, 9, rate), 9000), 9, 0.2);
}

TEST(SynthHarmony, ReadsRomanNumerals) {
  const auto bars = synth::read_progression("ii7 V7,bVII i5 bVI");
  ASSERT_EQ(bars.size(), 4u);
  EXPECT_EQ(bars[0][0].root, 2);
  EXPECT_EQ(bars[0][0].tones, (std::vector<int>{0, 3, 7, 10}));
  ASSERT_EQ(bars[1].size(), 2u);
  EXPECT_EQ(bars[1][0].tones, (std::vector<int>{0, 4, 7, 10}));
  EXPECT_EQ(bars[1][1].root, 10);
  EXPECT_EQ(bars[2][0].tones, (std::vector<int>{0, 7, 12}));
  EXPECT_EQ(bars[3][0].root, 8);
  EXPECT_THROW(synth::read_progression("I X"), Error);
  EXPECT_THROW(synth::read_progression("Ifoo"), Error);
}

TEST(SynthRhythm, ReadsStepsTheirLengthsAndAlternatingBars) {
  const auto first = synth::read_bar("x--.X...|x.x.x.x.", 0, 4);
  ASSERT_EQ(first.size(), 2u);
  EXPECT_EQ(first[0].symbol, 'x');
  EXPECT_FLOAT_EQ(first[0].beats, 1.5f);
  EXPECT_EQ(first[1].symbol, 'X');
  EXPECT_FLOAT_EQ(first[1].beat, 2);
  EXPECT_EQ(synth::read_bar("x--.X...|x.x.x.x.", 1, 4).size(), 4u);
  EXPECT_EQ(synth::read_bar("x--.X...|x.x.x.x.", 2, 4).size(), 2u);
  EXPECT_THROW(synth::read_bar("x.x", 0, 4), Error);
}

TEST(SynthStyles, EveryEntryOfTheTableIsValid) {
  for (const synth::Style& style : synth::styles()) {
    SCOPED_TRACE(style.name);
    for (const synth::Chair& chair : {style.bass, style.chords, style.pad, style.lead}) {
      for (const std::string& name : chair.instruments) EXPECT_NO_THROW(synth::instrument(name));
    }
    for (const synth::Harmony& harmony : style.harmonies) EXPECT_NO_THROW(synth::read_progression(harmony.progression));
    for (const synth::Groove& groove : style.grooves) {
      std::vector<std::string> lines;
      for (const synth::DrumLine& line : groove.drums) lines.push_back(line.steps);
      for (const auto& more : {groove.bass, groove.chords, groove.lead}) {
        lines.insert(lines.end(), more.begin(), more.end());
      }
      for (const std::string& line : lines) {
        for (int bar = 0; bar < 2; ++bar) EXPECT_NO_THROW(synth::read_bar(line, bar, groove.beats_per_bar)) << line;
      }
    }
  }
  EXPECT_THROW(synth::instrument("kazoo"), Error);
}

TEST(SynthInstruments, PlayTheGivenPitch) {
  constexpr float rate = 22050;
  for (const char* name : {"piano", "nylon guitar", "strings", "flute", "organ", "electric piano", "saxophone"}) {
    std::vector<float> track(22050);
    synth::Draws draws(1, 2);
    synth::play(synth::instrument(name), {.seconds = 1, .pitch = 69}, track, rate, draws);
    const double at_pitch = amplitude_at(track, 440, rate);
    for (const double beside : {415.3, 466.16}) {
      EXPECT_GT(at_pitch, 3 * amplitude_at(track, beside, rate)) << name;
    }
  }
}

TEST(Synth, GenresAreThoseOfGtzan) {
  EXPECT_EQ(synth_genres(), (std::vector<std::string>{"blues", "classical", "country", "disco", "hiphop", "jazz",
                                                      "metal", "pop", "reggae", "rock"}));
}

TEST(Synth, TracksAreAudibleFiniteAndNeverClip) {
  for (int genre = 0; genre < 10; ++genre) {
    for (int track = 0; track < 4; ++track) {
      const std::vector<float> samples = compose(genre, track, brief);
      ASSERT_EQ(samples.size(), 22050u);
      double power = 0;
      float peak = 0;
      for (const float sample : samples) {
        ASSERT_TRUE(std::isfinite(sample));
        peak = std::max(peak, std::abs(sample));
        power += sample * sample;
      }
      EXPECT_LT(peak, 0.99f) << synth_genres()[static_cast<size_t>(genre)] << " " << track;
      EXPECT_GT(std::sqrt(power / 22050), 0.01) << synth_genres()[static_cast<size_t>(genre)] << " " << track;
    }
  }
}

TEST(Synth, SamplesDependOnSeedTrackAndGenreOnly) {
  const std::vector<float> samples = compose(3, 1, brief);
  SynthOptions other = brief;
  other.tracks_per_genre = 50;
  EXPECT_EQ(compose(3, 1, other), samples);
  other.seed = 8;
  EXPECT_NE(compose(3, 1, other), samples);
  EXPECT_NE(compose(3, 0, brief), samples);
  EXPECT_NE(compose(4, 1, brief), samples);
}

TEST(Synth, RefusesOptionsOutsideTheirRange) {
  EXPECT_THROW(compose(0, 0, {.seconds = 0}), Error);
  EXPECT_THROW(compose(0, 0, {.seconds = std::nan("")}), Error);
  EXPECT_THROW(compose(0, 0, {.sample_rate = 100}), Error);
  EXPECT_THROW(compose(10, 0, brief), Error);
  EXPECT_THROW(compose(0, -1, brief), Error);
  expect_error([] { check({.tracks_per_genre = 0}); }, "0");
}

TEST(SynthWriter, WritesTheLayoutOfGtzanAsSixteenBitMonoWav) {
  const TemporaryFolder folder;
  std::vector<int> reports;
  write_demo_set(folder.path(), brief, [&](int done, int total) {
    EXPECT_EQ(total, 20);
    reports.push_back(done);
  });
  ASSERT_EQ(reports.size(), 20u);
  EXPECT_TRUE(std::is_sorted(reports.begin(), reports.end()));
  EXPECT_EQ(reports.back(), 20);
  EXPECT_EQ(contents(folder.path()).size(), 21u);  // and the marker
  for (const std::string& genre : synth_genres()) {
    for (int track = 0; track < 2; ++track) {
      const fs::path path = folder.path() / genre / fmt::format("{}.{:05}.wav", genre, track);
      SF_INFO info{};
      SNDFILE* file = sf_open(path.c_str(), SFM_READ, &info);
      ASSERT_NE(file, nullptr) << path;
      EXPECT_EQ(info.frames, 22050);
      EXPECT_EQ(info.channels, 1);
      EXPECT_EQ(info.samplerate, 11025);
      EXPECT_EQ(info.format, SF_FORMAT_WAV | SF_FORMAT_PCM_16);
      sf_close(file);
    }
  }
}

TEST(SynthWriter, BytesDoNotDependOnTheNumberOfThreads) {
  std::vector<std::map<std::string, std::string>> sets;
  with_threads({1, 4}, [&] {
    const TemporaryFolder folder;
    write_demo_set(folder.path(), brief);
    sets.push_back(contents(folder.path()));
  });
  EXPECT_EQ(sets[0], sets[1]);
}

TEST(SynthWriter, ReplacesAnEarlierDemoSet) {
  const TemporaryFolder folder;
  write_demo_set(folder.path(), brief);
  SynthOptions smaller = brief;
  smaller.tracks_per_genre = 1;
  write_demo_set(folder.path(), smaller);
  EXPECT_EQ(contents(folder.path()).size(), 11u);
}

TEST(SynthWriter, RefusesAFolderWithOtherFiles) {
  const TemporaryFolder folder;
  fs::create_directories(folder.path());
  std::ofstream(folder.path() / "song.wav") << "mine";
  const std::string message = error_of([&] { write_demo_set(folder.path(), brief); });
  expect_contains(message, folder.path().string());
  expect_contains(message, "not empty");
  EXPECT_EQ(contents(folder.path()), (std::map<std::string, std::string>{{"song.wav", "mine"}}));
  expect_error([&] { write_demo_set(folder.path() / "song.wav", brief); }, "is a file");
}

TEST(SynthWriter, StopsOnAnExceptionOfTheProgressReport) {
  const TemporaryFolder folder;
  EXPECT_THROW(write_demo_set(folder.path(), brief, [](int, int) { fail("stop"); }), Error);
}

}  // namespace
}  // namespace melgrad::test
