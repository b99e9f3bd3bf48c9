// The instruments: named settings of the four synthesis methods and the effects of each instrument.
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
  float tremolo_depth = 0;  // 0 to 1, at 5 to 7 Hz
  bool wah = false;
  bool bends = false;  // slides into notes and adds vibrato
};

// Throws Error for an unknown name.
const Instrument& instrument(std::string_view name);

// Returns the instrument with every setting changed a little at random, like another make of it.
Instrument vary(const Instrument& instrument, Draws& draws);

// Adds a note to the samples of the track, without the effects. `track` begins at second 0.
void play(const Instrument& instrument, const Note& note, std::span<float> track, float sample_rate, Draws& draws);

}  // namespace melgrad::synth
