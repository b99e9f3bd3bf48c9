// Converts beats to seconds: tempo, swing, rubato and human imprecision.
#pragma once

#include "apps/synth/draws.h"
#include "apps/synth/exact_math.h"

namespace melgrad::synth {

struct Clock {
  float seconds_per_beat = 0.5f;
  float swing = 0;         // delay of the second eighth of a beat, in beats
  float rubato = 0;        // largest deviation from the metronome, in seconds, with a period of eight beats
  float imprecision = 0;   // largest random deviation, in seconds
  float first_second = 0;  // time in the music at which the clip begins

  // The time of a beat in the track, in seconds. Beats count from the beginning of the music.
  float seconds(float beat, Draws& draws) const {
    const float whole = std::floor(beat), part = beat - whole;
    const float swung = part < 0.5f ? part * (1 + 2 * swing) : 0.5f + swing + (part - 0.5f) * (1 - 2 * swing);
    const float wander = rubato * sine(wrap(beat / 8)) + imprecision * draws.around_zero();
    return (whole + swung) * seconds_per_beat + wander - first_second;
  }
};

}  // namespace melgrad::synth
