// Frequency modulation with two operators (Chowning 1973): one sine bends the phase of another. Electric piano, bells,
// vibraphone, hard basses, brass.
#pragma once

#include <span>

#include "apps/synth/note.h"

namespace melgrad::synth {

struct FrequencyModulation {
  float ratio = 1;             // modulator's frequency over the carrier's
  float index = 2;             // depth of modulation at the onset, radians
  float index_sustain = 0.3f;  // share of it that stays
  float index_decay = 0.15f;   // half-life in seconds
  Envelope envelope;
};

// Adds the note to `out`, which begins at its onset.
void play(const FrequencyModulation& patch, const Note& note, std::span<float> out, float sample_rate);

}  // namespace melgrad::synth
