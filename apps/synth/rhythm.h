// Rhythms as lines of text, one character a step, '|' between bars that alternate: "x..x..x...x.x...|x...x...x...x...".
// A bar's length in characters over its beats gives the subdivision: 16 for four beats in sixteenths, 12 in triplets.
//   drums   X accent, x hit, o soft, ? perhaps soft, . rest
//   chords  X accent, x the chord, p a short muted stroke, 1..4 one note of the chord (arpeggio), - held on, . rest
//   bass    1 3 5 7 the chord's notes, 2 4 6 8 seconds, fourths, sixths, octaves above its root, w walks, - held, .
//   rest lead    x a note, ? perhaps one, - held, . rest
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "apps/synth/drums.h"

namespace melgrad::synth {

struct Step {
  char symbol;
  float beat, beats;  // onset from the bar's beginning, and length with the '-' after it
};

// The steps of one bar that are not rests; a line's bars repeat. Throws Error if a bar's length does not divide evenly
// into the beats.
std::vector<Step> read_bar(std::string_view line, int bar, int beats_per_bar);

struct DrumLine {
  Drum drum;
  std::string steps;
};

// Everything rhythmic that belongs together; chords, bass and lead choose among their lines.
struct Groove {
  int beats_per_bar = 4;
  std::vector<DrumLine> drums;
  std::vector<std::string> bass, chords, lead;
};

}  // namespace melgrad::synth
