// Additive synthesis: a sum of sines at whole multiples of the note. Drawbar organ, flute, harmonica, accordion.
#pragma once

#include <span>
#include <vector>

#include "apps/synth/draws.h"
#include "apps/synth/note.h"

namespace melgrad::synth {

struct Partial {
  float multiple, amplitude;
};

struct Additive {
  std::vector<Partial> partials;
  Envelope envelope;
  float breath = 0;  // noise around the note's pitch
};

// Adds the note to `out`, which begins at its onset.
void play(const Additive& patch, const Note& note, std::span<float> out, float sample_rate, Draws& draws);

}  // namespace melgrad::synth
