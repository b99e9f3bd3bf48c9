// A drum kit: every drum is synthesised once for a track, then struck many times, as a sampler does.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "apps/synth/draws.h"

namespace melgrad::synth {

enum class Drum { kick, snare, closed_hat, open_hat, ride, crash, rim, clap, tom, shaker };
inline constexpr int drum_count = 10;

// What tells one kit from another; drawn for each track.
struct KitTuning {
  float kick_hertz = 50, kick_half_life = 0.08f, kick_click = 0.3f;
  float snare_hertz = 190, snare_half_life = 0.05f, snare_wires = 0.7f;  // wires: share of noise, the rest is the shell
  float metal_hertz = 6500, metal_half_life = 0.02f;                     // hats; cymbals ring in proportion
};

struct Hit {
  Drum drum;
  float start;  // seconds
  float velocity;
};

class DrumKit {
 public:
  DrumKit(const KitTuning& tuning, float sample_rate, Draws& draws);

  // Adds the hit to a track's samples; what would ring past the end is cut.
  void strike(const Hit& hit, std::span<float> track) const;

 private:
  float sample_rate_;
  std::array<std::vector<float>, drum_count> sounds_;
};

}  // namespace melgrad::synth
