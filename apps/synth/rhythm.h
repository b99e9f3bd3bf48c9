// Rhythms as lines of text. Each character is a step; '|' separates bars that alternate:
// "x..x..x...x.x...|x...x...x...x...". The number of characters per bar gives the subdivision: 16 characters for four
// beats are sixteenths, 12 are triplets.
//   drums   X accent, x hit, o soft hit, ? soft hit at random, . rest
//   chords  X accent, x chord, p short muted stroke, 1..4 one note of the chord (arpeggio), - held, . rest
//   bass    1 3 5 7 note of the chord, 2 4 6 8 second, fourth, sixth, octave above the root, w walking, - held, . rest
//   lead    x note, ? note at random, - held, . rest
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "apps/synth/drums.h"

namespace melgrad::synth {

struct Step {
  char symbol;
  float beat, beats;  // onset in the bar, and length including the '-' that follow
};

// Returns the steps of one bar that are not rests. The bars of a line repeat. Throws Error if the number of steps is
// not a multiple of the beats.
std::vector<Step> read_bar(std::string_view line, int bar, int beats_per_bar);

struct DrumLine {
  Drum drum;
  std::string steps;
};

// The rhythms of one groove. Bass, chords and lead each choose one of their lines.
struct Groove {
  int beats_per_bar = 4;
  std::vector<DrumLine> drums;
  std::vector<std::string> bass, chords, lead;
};

}  // namespace melgrad::synth
