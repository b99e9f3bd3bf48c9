#include "apps/synth/drums.h"

#include <algorithm>

#include "apps/synth/filter.h"

namespace melgrad::synth {
namespace {

// Filtered noise that decays.
std::vector<float> noise_burst(Filter filter, float half_life, float amplitude, float sample_rate, Noise& noise) {
  std::vector<float> sound(static_cast<size_t>(12 * half_life * sample_rate));
  const float decay = decay_of_half_life(half_life, sample_rate);
  for (float& sample : sound) {
    sample = amplitude * filter(noise.next());
    amplitude *= decay;
  }
  return sound;
}

// A sine that falls from `bend` octaves above `hertz`, as the pitch of a drum skin does after a hit.
std::vector<float> skin(float hertz, float bend, float bend_half_life, float half_life, float amplitude,
                        float sample_rate) {
  std::vector<float> sound(static_cast<size_t>(12 * half_life * sample_rate));
  const float decay = decay_of_half_life(half_life, sample_rate);
  const float settle = decay_of_half_life(bend_half_life, sample_rate);
  float phase = 0, excess = hertz * (exp2(bend) - 1);
  for (float& sample : sound) {
    sample = amplitude * sine(phase);
    phase = wrap(phase + (hertz + excess) / sample_rate);
    excess *= settle;
    amplitude *= decay;
  }
  return sound;
}

std::vector<float> mix(std::vector<float> a, const std::vector<float>& b) {
  a.resize(std::max(a.size(), b.size()));
  for (size_t i = 0; i < b.size(); ++i) a[i] += b[i];
  return a;
}

// Several claps a few milliseconds apart.
std::vector<float> hand_clap(const std::vector<float>& hand, float sample_rate) {
  std::vector<float> sound;
  for (const float delay : {0.0f, 0.011f, 0.023f}) {
    std::vector<float> late(static_cast<size_t>(delay * sample_rate));
    late.insert(late.end(), hand.begin(), hand.end());
    sound = mix(std::move(sound), late);
  }
  return sound;
}

}  // namespace

DrumKit::DrumKit(const KitTuning& tuning, float sample_rate, Draws& draws) : sample_rate_(sample_rate) {
  Noise noise(draws.bits());
  const auto high = [&](float hertz, float half_life, float amplitude) {
    return noise_burst(Filter::high_pass(hertz, 0.9f, sample_rate), half_life, amplitude, sample_rate, noise);
  };
  const auto band = [&](float hertz, float q, float half_life, float amplitude) {
    return noise_burst(Filter::band_pass(hertz, q, sample_rate), half_life, amplitude, sample_rate, noise);
  };
  const auto set = [&](Drum drum, std::vector<float> sound) { sounds_[static_cast<size_t>(drum)] = std::move(sound); };
  const float metal = tuning.metal_hertz, ring = tuning.metal_half_life;
  set(Drum::kick, mix(skin(tuning.kick_hertz, 2, 0.012f, tuning.kick_half_life, 1.2f, sample_rate),
                      band(2500, 0.7f, 0.004f, tuning.kick_click)));
  set(Drum::snare, mix(skin(tuning.snare_hertz, 0.5f, 0.01f, 0.6f * tuning.snare_half_life,
                            1 - 0.6f * tuning.snare_wires, sample_rate),
                       high(1200, tuning.snare_half_life, tuning.snare_wires)));
  set(Drum::closed_hat, high(metal, ring, 0.5f));
  set(Drum::open_hat, high(metal, 6 * ring, 0.5f));
  set(Drum::ride, mix(band(metal * 0.8f, 3, 8 * ring, 0.5f), high(metal, 0.5f * ring, 0.5f)));
  set(Drum::crash, high(0.6f * metal, 18 * ring, 0.7f));
  set(Drum::rim, mix(skin(1700, 0, 0.01f, 0.008f, 0.5f, sample_rate), band(2500, 2, 0.006f, 0.5f)));
  set(Drum::clap, hand_clap(band(1300, 1.2f, 0.025f, 0.9f), sample_rate));
  set(Drum::tom, skin(2 * tuning.kick_hertz, 0.5f, 0.03f, 0.09f, 0.9f, sample_rate));
  set(Drum::shaker, band(metal, 1, 0.7f * ring, 0.5f));
}

void DrumKit::strike(const Hit& hit, std::span<float> track) const {
  const std::vector<float>& sound = sounds_[static_cast<size_t>(hit.drum)];
  const auto begin = static_cast<size_t>(std::max(0.0f, hit.start) * sample_rate_);
  if (begin >= track.size()) return;
  const size_t count = std::min(sound.size(), track.size() - begin);
  for (size_t i = 0; i < count; ++i) track[begin + i] += hit.velocity * sound[i];
}

}  // namespace melgrad::synth
