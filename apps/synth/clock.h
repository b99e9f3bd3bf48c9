// When a beat sounds: tempo, swing, rubato and human imprecision.
#pragma once

#include "apps/synth/draws.h"
#include "apps/synth/exact_math.h"

namespace melgrad::synth {

struct Clock {
  float seconds_per_beat = 0.5f;
  float swing = 0;         // the second eighth of a beat comes this much later, in beats
  float rubato = 0;        // seconds the beat wanders from the metronome, over eight beats
  float imprecision = 0;   // seconds
  float first_second = 0;  // the track's beginning, in the music's time: a clip starts anywhere

  // The time of a beat, counted from the music's beginning, in the track.
  float seconds(float beat, Draws& draws) const {
    const float whole = std::floor(beat), part = beat - whole;
    const float swung = part < 0.5f ? part * (1 + 2 * swing) : 0.5f + swing + (part - 0.5f) * (1 - 2 * swing);
    const float wander = rubato * sine(wrap(beat / 8)) + imprecision * draws.around_zero();
    return (whole + swung) * seconds_per_beat + wander - first_second;
  }
};

}  // namespace melgrad::synth
