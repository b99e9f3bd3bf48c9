// Frequency modulation with two operators (Chowning 1973): one sine modulates the phase of another. Used for electric
// piano, bells, vibraphone, hard basses and brass.
#pragma once

#include <span>

#include "apps/synth/note.h"

namespace melgrad::synth {

struct FrequencyModulation {
  float ratio = 1;             // modulator frequency / carrier frequency
  float index = 2;             // modulation depth at the onset, in radians
  float index_sustain = 0.3f;  // fraction of `index` after the decay
  float index_decay = 0.15f;   // half-life of the decay, in seconds
  Envelope envelope;
};

// Adds the note to `out`. The first sample of `out` is the onset.
void play(const FrequencyModulation& patch, const Note& note, std::span<float> out, float sample_rate);

}  // namespace melgrad::synth
