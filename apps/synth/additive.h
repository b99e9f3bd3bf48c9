// Additive synthesis: a sum of sines at integer multiples of the note frequency. Used for drawbar organ, flute,
// harmonica and accordion.
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
  float breath = 0;  // level of noise around the pitch of the note
};

// Adds the note to `out`. The first sample of `out` is the onset.
void play(const Additive& patch, const Note& note, std::span<float> out, float sample_rate, Draws& draws);

}  // namespace melgrad::synth
