// A track on paper: who plays which notes when, decided by drawing from a style, before any sound is made.
#pragma once

#include <vector>

#include "apps/synth/drums.h"
#include "apps/synth/instruments.h"
#include "apps/synth/recording.h"
#include "apps/synth/styles.h"

namespace melgrad::synth {

struct Part {
  Instrument instrument;
  float gain = 1;  // after the part has been brought to unit level
  std::vector<Note> notes;
};

struct Arrangement {
  std::vector<Part> parts;
  KitTuning kit;
  float drum_gain = 1;
  std::vector<Hit> hits;
  float echo_seconds = 0, echo_wet = 0;  // on the whole band
  Recording recording;
};

// Draws a track of styles()[genre]. Some tracks are crossovers: groove, harmony or instruments come from another style.
Arrangement arrange(int genre, float seconds, Draws& draws);

}  // namespace melgrad::synth
