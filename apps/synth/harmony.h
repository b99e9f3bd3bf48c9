// Chords and scales in musical notation.
#pragma once

#include <string_view>
#include <vector>

namespace melgrad::synth {

struct Chord {
  int root = 0;            // semitones above the key note
  std::vector<int> tones;  // semitones above the root, from 0
};

// Reads a progression in Roman numerals. Each word is a bar; commas separate the chords of a bar: "ii7 V7 Imaj7,VI7".
// Upper case is major, lower case minor; b or # before the numeral moves the root. Suffixes: none (triad), 5 (power
// chord), 6, 7 (dominant seventh on a major chord, minor seventh on a minor chord), maj7, 9, dim, sus4.
// Throws Error naming the first invalid word.
std::vector<std::vector<Chord>> read_progression(std::string_view progression);

enum class Scale {
  major,
  minor,
  harmonic_minor,
  dorian,
  mixolydian,
  phrygian,
  blues,
  major_pentatonic,
  minor_pentatonic
};

// Semitones above the key note, ascending from 0, within an octave.
const std::vector<int>& degrees(Scale scale);

}  // namespace melgrad::synth
