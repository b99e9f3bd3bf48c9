// A plucked string: a burst of noise going round a delay line through a low-pass filter (Karplus and Strong 1983, with
// the tuning all-pass and the pick-position comb of Jaffe and Smith 1983). Guitars, banjo, harpsichord, piano, basses.
#pragma once

#include <span>

#include "apps/synth/draws.h"
#include "apps/synth/note.h"

namespace melgrad::synth {

struct PluckedString {
  int strings = 1;          // a piano has up to three to a note, slightly detuned
  float detune = 0.03f;     // semitones between them
  float half_life = 0.6f;   // of the fundamental at middle C, in seconds; lower notes ring longer
  float brightness = 0.5f;  // 0 dull .. 1 bright
  float pick = 0.2f;        // where along the string it is plucked
  float release = 0.05f;    // half-life after the note's end, in seconds
};

// Adds the note to `out`, which begins at its onset.
void play(const PluckedString& patch, const Note& note, std::span<float> out, float sample_rate, Draws& draws);

}  // namespace melgrad::synth
