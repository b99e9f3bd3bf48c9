// Recording and mastering of a track: room, equalisation, bandwidth, noise and loudness. The values are drawn from the
// same wide ranges for every style, so that the average spectrum reveals little about the genre. Real recordings vary
// as much.
#pragma once

#include <span>

#include "apps/synth/draws.h"

namespace melgrad::synth {

// Average tone of a style. Tracks of one style differ more than the averages of two styles.
struct Tone {
  float bass_db = 0, treble_db = 0;  // shelves at 200 Hz and 3 kHz
  float loudness_db = -17;           // RMS level in dBFS
};

struct Recording {
  float room_seconds, room_size, room_wet;
  Tone tone;
  float presence_hertz, presence_db;         // a bell filter between the shelves
  float bandwidth_hertz;                     // low-pass filter of the medium
  float tape_drive;                          // saturation of the whole mix
  float hiss_db;                             // level relative to the music
  float crackles_per_second, crackle_level;  // of a worn record
};

Recording draw_recording(Range room_seconds, const Tone& tone, Draws& draws);

// Turns a mix of any level into the finished track, in place. All samples end up in (-1, 1).
void master(std::span<float> mix, const Recording& recording, float sample_rate, Draws& draws);

// Root mean square of the loudest tenth of a second.
float loudest_level(std::span<const float> samples, float sample_rate);

}  // namespace melgrad::synth
