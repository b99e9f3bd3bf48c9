// The score of a track: parts, notes and effects, drawn at random from a style.
#pragma once

#include <vector>

#include "apps/synth/drums.h"
#include "apps/synth/instruments.h"
#include "apps/synth/recording.h"
#include "apps/synth/styles.h"

namespace melgrad::synth {

struct Part {
  Instrument instrument;
  float gain = 1;  // applied after the part is normalised to unit level
  std::vector<Note> notes;
};

struct Arrangement {
  std::vector<Part> parts;
  KitTuning kit;
  float drum_gain = 1;
  std::vector<Hit> hits;
  float echo_seconds = 0, echo_wet = 0;  // of the whole mix
  Recording recording;
};

// Draws a track of styles()[genre]. In some tracks the groove, harmony or instruments come from another style.
Arrangement arrange(int genre, float seconds, Draws& draws);

}  // namespace melgrad::synth
