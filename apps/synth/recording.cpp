#include "apps/synth/recording.h"

#include <algorithm>

#include "apps/synth/effects.h"
#include "apps/synth/filter.h"

namespace melgrad::synth {
namespace {

constexpr float tone_spread_db = 2.5f;

float level(std::span<const float> samples) {
  double power = 0;
  for (const float sample : samples) power += static_cast<double>(sample) * sample;
  return std::sqrt(static_cast<float>(power / static_cast<double>(std::max<size_t>(1, samples.size()))));
}

void scale_to(std::span<float> samples, float wanted, float current) {
  const float factor = wanted / (current + 1e-9f);
  for (float& sample : samples) sample *= factor;
}

void add_crackle(std::span<float> samples, const Recording& recording, float sample_rate, Draws& draws) {
  const float seconds = static_cast<float>(samples.size()) / sample_rate;
  const int count = static_cast<int>(recording.crackles_per_second * seconds);
  for (int k = 0; k < count; ++k) {
    const auto at = static_cast<size_t>(draws.below(static_cast<int>(samples.size())));
    const float height = recording.crackle_level * draws.around_zero();
    for (size_t i = 0; i < 6 && at + i < samples.size(); ++i) samples[at + i] += height * exp2(-static_cast<float>(i));
  }
}

}  // namespace

float loudest_level(std::span<const float> samples, float sample_rate) {
  const auto window = static_cast<size_t>(0.1f * sample_rate);
  float loudest = 0;
  for (size_t begin = 0; begin < samples.size(); begin += window) {
    loudest = std::max(loudest, level(samples.subspan(begin, std::min(window, samples.size() - begin))));
  }
  return loudest;
}

Recording draw_recording(Range room_seconds, const Tone& tone, Draws& draws) {
  const bool worn = draws.chance(0.12f);
  return {
      .room_seconds = draws.within(room_seconds),
      .room_size = draws.within({0.4f, 1.1f}),
      .room_wet = draws.within({0.1f, 0.45f}),
      .tone = {tone.bass_db + draws.within({-tone_spread_db, tone_spread_db}),
               tone.treble_db + draws.within({-tone_spread_db, tone_spread_db}),
               tone.loudness_db + draws.within({-tone_spread_db, tone_spread_db})},
      .presence_hertz = 500 * exp2(draws.within({0, 3})),
      .presence_db = draws.within({-3, 3}),
      .bandwidth_hertz = 4000 * exp2(draws.within({0.6f, 1.4f})),
      .tape_drive = draws.within({0.2f, 1.2f}),
      .hiss_db = draws.within({-65, -46}),
      .crackles_per_second = worn ? draws.within({5, 40}) : 0,
      .crackle_level = draws.within({0.2f, 1}),
  };
}

void master(std::span<float> mix, const Recording& recording, float sample_rate, Draws& draws) {
  reverberate(mix, recording.room_seconds, recording.room_size, recording.room_wet, sample_rate);
  Filter bass = Filter::low_shelf(200, recording.tone.bass_db, sample_rate);
  Filter treble = Filter::high_shelf(3000, recording.tone.treble_db, sample_rate);
  Filter presence = Filter::bell(recording.presence_hertz, 1, recording.presence_db, sample_rate);
  for (float& sample : mix) sample = presence(treble(bass(sample)));

  scale_to(mix, 0.3f * recording.tape_drive, level(mix));
  for (float& sample : mix) sample = saturate(sample);
  scale_to(mix, 1, level(mix));

  Noise noise(draws.bits());
  const float hiss = 1.73f * gain_of_db(recording.hiss_db);
  for (float& sample : mix) sample += hiss * noise.next();
  add_crackle(mix, recording, sample_rate, draws);
  Filter medium = Filter::low_pass(recording.bandwidth_hertz, 0.7f, sample_rate);
  const float gain = gain_of_db(recording.tone.loudness_db);
  for (float& sample : mix) sample = 0.98f * saturate(gain * medium(sample));
}

}  // namespace melgrad::synth
