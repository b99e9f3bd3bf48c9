// A plucked string: a burst of noise circulates in a delay line with a low-pass filter (Karplus and Strong 1983), with
// the tuning all-pass and the pick-position comb of Jaffe and Smith 1983. Used for guitars, banjo, harpsichord, piano
// and basses.
#pragma once

#include <span>

#include "apps/synth/draws.h"
#include "apps/synth/note.h"

namespace melgrad::synth {

struct PluckedString {
  int strings = 1;          // per note; a piano has up to three, slightly detuned
  float detune = 0.03f;     // semitones between them
  float half_life = 0.6f;   // of the fundamental at middle C, in seconds; longer for lower notes
  float brightness = 0.5f;  // 0 (dull) to 1 (bright)
  float pick = 0.2f;        // plucking position as a fraction of the string
  float release = 0.05f;    // half-life after the end of the note, in seconds
};

// Adds the note to `out`. The first sample of `out` is the onset.
void play(const PluckedString& patch, const Note& note, std::span<float> out, float sample_rate, Draws& draws);

}  // namespace melgrad::synth
