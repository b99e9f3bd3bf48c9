// A drum kit. Each drum is synthesised once per track; every hit adds a copy of its sound, as a sampler does.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "apps/synth/draws.h"

namespace melgrad::synth {

enum class Drum { kick, snare, closed_hat, open_hat, ride, crash, rim, clap, tom, shaker };
inline constexpr int drum_count = 10;

// Parameters of a drum kit, drawn for each track. Half-lives are in seconds.
struct KitTuning {
  float kick_hertz = 50, kick_half_life = 0.08f, kick_click = 0.3f;
  float snare_hertz = 190, snare_half_life = 0.05f,
        snare_wires = 0.7f;                           // snare_wires: fraction of noise; the rest is the shell
  float metal_hertz = 6500, metal_half_life = 0.02f;  // of the hats; cymbals scale with them
};

struct Hit {
  Drum drum;
  float start;  // seconds
  float velocity;
};

class DrumKit {
 public:
  DrumKit(const KitTuning& tuning, float sample_rate, Draws& draws);

  // Adds the hit to the samples of a track. The sound is cut at the end of the track.
  void strike(const Hit& hit, std::span<float> track) const;

 private:
  float sample_rate_;
  std::array<std::vector<float>, drum_count> sounds_;
};

}  // namespace melgrad::synth
