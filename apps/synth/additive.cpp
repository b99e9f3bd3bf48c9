#include "apps/synth/additive.h"

#include <algorithm>
#include <array>

#include "apps/synth/filter.h"

namespace melgrad::synth {

void play(const Additive& patch, const Note& note, std::span<float> out, float sample_rate, Draws& draws) {
  const float hertz = hertz_of_midi(note.pitch);
  EnvelopeGenerator envelope(patch.envelope, note.seconds, sample_rate);
  std::vector<float> phases;
  for (size_t k = 0; k < patch.partials.size(); ++k) phases.push_back(draws.uniform());
  Noise noise(draws.bits());
  Filter breath = Filter::band_pass(2 * hertz, 1, sample_rate);
  std::array<float, control_block> block;
  for (size_t begin = 0; begin < out.size() && !envelope.finished(); begin += control_block) {
    const size_t count = std::min<size_t>(control_block, out.size() - begin);
    const float increment = hertz * pitch_factor(note, static_cast<float>(begin) / sample_rate) / sample_rate;
    for (float& sample : block) sample = patch.breath > 0 ? patch.breath * breath(noise.next()) : 0;
    for (size_t k = 0; k < phases.size(); ++k) {
      const float step = increment * patch.partials[k].multiple;
      if (step > 0.45f) continue;
      for (size_t i = 0; i < control_block; ++i) {
        block[i] += patch.partials[k].amplitude * sine(wrap(phases[k] + static_cast<float>(i) * step));
      }
      phases[k] = wrap(phases[k] + control_block * step);
    }
    for (size_t i = 0; i < count; ++i) out[begin + i] += note.velocity * envelope.next() * block[i];
  }
}

}  // namespace melgrad::synth
