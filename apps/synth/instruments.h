// The orchestra: named settings of the four ways to make a note, and the effects that belong to the instrument.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "apps/synth/additive.h"
#include "apps/synth/frequency_modulation.h"
#include "apps/synth/plucked_string.h"
#include "apps/synth/subtractive.h"

namespace melgrad::synth {

struct Instrument {
  std::string name;
  std::variant<PluckedString, Subtractive, FrequencyModulation, Additive> patch;
  float drive = 0;          // amplifier distortion; 0: none
  float tremolo_depth = 0;  // at 5 to 7 Hz
  bool wah = false;
  bool bends = false;  // slides into notes and adds vibrato
};

// Throws Error when there is none of that name.
const Instrument& instrument(std::string_view name);

// The same instrument made by another maker, played by another hand: every setting moved a little.
Instrument vary(const Instrument& instrument, Draws& draws);

// Adds a note to the track's samples (`track` begins at second 0), without the effects.
void play(const Instrument& instrument, const Note& note, std::span<float> track, float sample_rate, Draws& draws);

}  // namespace melgrad::synth
