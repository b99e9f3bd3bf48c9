// Music from code alone: ten genre-like styles under GTZAN's names, to try the whole program on without any download.
// A track is drawn on paper (arrangement.h), played (instruments.h, drums.h), mixed and mastered (recording.h).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace melgrad {

struct SynthOptions {
  int tracks_per_genre = 64;
  double seconds = 6;
  int sample_rate = 22050;
  uint64_t seed = 0;
};

// blues classical country disco hiphop jazz metal pop reggae rock
const std::vector<std::string>& synth_genres();

// Throws Error naming the option that lies outside: at least 1 track a genre, 1 to 600 s, 8000 to 192000 Hz.
void check(const SynthOptions& options);

// Mono samples in (-1, 1), round(seconds * sample_rate) of them: a pure function of its arguments, the same on every
// machine; `tracks_per_genre` does not enter. Throws Error if there is no such genre or track (both count from 0).
std::vector<float> compose(int genre, int track, const SynthOptions& options);

}  // namespace melgrad
