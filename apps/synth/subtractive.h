// Subtractive synthesis: a low-pass filter shapes a waveform that is rich in harmonics. Used for strings, brass, reeds,
// voices and basses.
#pragma once

#include <span>

#include "apps/synth/draws.h"
#include "apps/synth/note.h"

namespace melgrad::synth {

enum class Waveform { saw, square };

struct Subtractive {
  Waveform waveform = Waveform::saw;
  int oscillators = 1;
  float detune = 0.08f;  // semitones between the outermost oscillators
  Envelope envelope;
  float cutoff = 4;          // of the low-pass filter, in multiples of the note's frequency
  float sweep = 0;           // octaves above `cutoff` at the onset
  float sweep_decay = 0.1f;  // half-life of the sweep, in seconds
  float q = 0.7f;
  float breath = 0;    // level of noise added to the oscillators
  bool vowel = false;  // replaces the low-pass filter by two vowel formants; each note has another vowel
};

// Adds the note to `out`. The first sample of `out` is the onset.
void play(const Subtractive& patch, const Note& note, std::span<float> out, float sample_rate, Draws& draws);

}  // namespace melgrad::synth
