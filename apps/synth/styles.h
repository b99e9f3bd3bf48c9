// The ten styles as data: the possible ingredients of a track. The ranges of the styles overlap on purpose, as those of
// real genres do.
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
  Scale scale;              // of the melody
};

// A role in the band: its possible instruments and the probability that it plays.
struct Chair {
  std::vector<std::string> instruments;
  float presence = 1;
};

// Levels of the parts in the mix, in dB. Tracks vary around them.
struct Balance {
  float drums = 0, bass = 0, chords = -3, pad = -10, lead = 0;
};

struct Style {
  std::string name;
  Range tempo;  // beats per minute
  Range swing;  // delay of every second eighth, in beats (1/6: triplets); only for grooves in sixteenths
  Range room;   // reverberation time in seconds
  std::vector<Groove> grooves;
  std::vector<Harmony> harmonies;
  float drums = 1;  // probability that the track has drums
  Chair bass, chords, pad, lead;
  Balance balance;
  KitTuning kit;
  Tone tone;
};

// The styles in the order of synth_genres().
const std::vector<Style>& styles();

}  // namespace melgrad::synth
