// Composes music in ten styles with the genre names of GTZAN, so that the program can be tried without a download.
// arrangement.h draws the notes, instruments.h and drums.h play them, recording.h mixes and masters the result.
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

// Throws Error naming the option out of range: at least 1 track per genre, 1 to 600 s, 8000 to 192000 Hz.
void check(const SynthOptions& options);

// Returns round(seconds * sample_rate) mono samples in (-1, 1). The result depends only on the arguments without
// `tracks_per_genre` and is the same on every machine. `genre` and `track` count from 0. Throws Error if either does
// not exist.
std::vector<float> compose(int genre, int track, const SynthOptions& options);

}  // namespace melgrad
