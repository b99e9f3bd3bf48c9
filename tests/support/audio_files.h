// Audio files written by libsndfile.
#pragma once

#include <gtest/gtest.h>
#include <sndfile.h>

#include <string>
#include <vector>

#include "tests/support/signals.h"
#include "tests/support/temporary_folder.h"

namespace melgrad::test {

struct Sound {
  std::vector<float> samples;  // interleaved
  int rate = 22050, channels = 1;
};

// Writes `sound` in a format of libsndfile and creates the folders above the file. Returns `path`.
inline fs::path write_sound(const fs::path& path, const Sound& sound, int format = SF_FORMAT_WAV | SF_FORMAT_PCM_16) {
  fs::create_directories(path.parent_path());
  SF_INFO info{.samplerate = sound.rate, .channels = sound.channels, .format = format};
  SNDFILE* file = sf_open(path.c_str(), SFM_WRITE, &info);
  EXPECT_NE(file, nullptr) << path << ": " << sf_strerror(nullptr);
  sf_writef_float(file, sound.samples.data(), static_cast<sf_count_t>(sound.samples.size()) / sound.channels);
  sf_close(file);
  return path;
}

// Writes a sine at 22,050 Hz as 16-bit WAV.
inline fs::path write_sine(const fs::path& path, double hertz, double seconds = 0.5) {
  return write_sound(path, {sine(hertz, seconds, 22050)});
}

// Writes three genres, "low", "middle" and "high", of sines of 1 s. Every track has its own pitch. Any of the models
// learns to tell them apart.
inline fs::path write_music_set(const fs::path& root, int tracks_per_class = 6) {
  const std::pair<const char*, double> classes[] = {{"low", 200}, {"middle", 900}, {"high", 4000}};
  for (const auto& [name, hertz] : classes) {
    for (int i = 0; i < tracks_per_class; ++i) {
      write_sine(root / name / (std::string(name) + ".0000" + std::to_string(i) + ".wav"), hertz * (1 + 0.05 * i), 1.0);
    }
  }
  return root;
}

}  // namespace melgrad::test
