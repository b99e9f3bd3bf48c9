// Subtractive synthesis: a waveform rich in harmonics through a low-pass filter. Strings, brass, reeds, voices, basses.
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
  float sweep = 0;           // octaves the cutoff starts above `cutoff`
  float sweep_decay = 0.1f;  // half-life of the sweep in seconds
  float q = 0.7f;
  float breath = 0;    // noise beside the oscillators
  bool vowel = false;  // a vowel's two formants, another one for every note, in place of the low-pass
};

// Adds the note to `out`, which begins at its onset.
void play(const Subtractive& patch, const Note& note, std::span<float> out, float sample_rate, Draws& draws);

}  // namespace melgrad::synth
