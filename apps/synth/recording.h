// How a track was recorded and mastered: room, equalisation, bandwidth, noise, loudness. Drawn from the same wide
// ranges for every style, so that the average spectrum says little about the genre, as across studios and decades of
// records.
#pragma once

#include <span>

#include "apps/synth/draws.h"

namespace melgrad::synth {

// What a style's records sound like on average; tracks stray from it by more than the styles lie apart.
struct Tone {
  float bass_db = 0, treble_db = 0;  // shelves at 200 Hz and 3 kHz
  float loudness_db = -17;           // RMS level in dBFS
};

struct Recording {
  float room_seconds, room_size, room_wet;
  Tone tone;
  float presence_hertz, presence_db;         // a bell in between
  float bandwidth_hertz;                     // low-pass of the medium
  float tape_drive;                          // saturation of the whole mix
  float hiss_db;                             // below the music
  float crackles_per_second, crackle_level;  // of a worn record
};

Recording draw_recording(Range room_seconds, const Tone& tone, Draws& draws);

// Turns a mix of any level into the finished track, in place: every sample lies within (-1, 1).
void master(std::span<float> mix, const Recording& recording, float sample_rate, Draws& draws);

// The root mean square of the loudest tenth of a second.
float loudest_level(std::span<const float> samples, float sample_rate);

}  // namespace melgrad::synth
