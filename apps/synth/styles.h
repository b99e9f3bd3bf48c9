// The ten styles as data: what a track of a style may be made of. Ranges of different styles overlap on purpose, as
// those of real genres do.
#pragma once

#include <string>
#include <vector>

#include "apps/synth/draws.h"
#include "apps/synth/harmony.h"
#include "apps/synth/recording.h"
#include "apps/synth/rhythm.h"

namespace melgrad::synth {

struct Harmony {
  std::string progression;  // see harmony.h
  Scale scale;              // of melodies over it
};

// One chair of the band: who may sit in it, and how likely it is taken.
struct Chair {
  std::vector<std::string> instruments;
  float presence = 1;
};

// Levels of the band in the mix, in dB; tracks stray from them.
struct Balance {
  float drums = 0, bass = 0, chords = -3, pad = -10, lead = 0;
};

struct Style {
  std::string name;
  Range tempo;  // beats a minute
  Range swing;  // delay of every second eighth, in beats (1/6 is a triplet); only for grooves in sixteenths
  Range room;   // reverberation time in seconds
  std::vector<Groove> grooves;
  std::vector<Harmony> harmonies;
  float drums = 1;  // how likely there are any
  Chair bass, chords, pad, lead;
  Balance balance;
  KitTuning kit;
  Tone tone;
};

// In the order of synth_genres().
const std::vector<Style>& styles();

}  // namespace melgrad::synth
