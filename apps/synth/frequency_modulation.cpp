#include "apps/synth/frequency_modulation.h"

#include <algorithm>

namespace melgrad::synth {

void play(const FrequencyModulation& patch, const Note& note, std::span<float> out, float sample_rate) {
  const float hertz = hertz_of_midi(note.pitch);
  EnvelopeGenerator envelope(patch.envelope, note.seconds, sample_rate);
  float carrier = 0, modulator = 0;
  for (size_t begin = 0; begin < out.size() && !envelope.finished(); begin += control_block) {
    const float seconds = static_cast<float>(begin) / sample_rate;
    const float increment = hertz * pitch_factor(note, seconds) / sample_rate;
    const float share = patch.index_sustain + (1 - patch.index_sustain) * exp2(-seconds / patch.index_decay);
    const float depth = patch.index * share * 0.159154943f * std::min(1.0f, note.velocity);
    const size_t end = std::min(out.size(), begin + control_block);
    for (size_t i = begin; i < end; ++i) {
      out[i] += note.velocity * envelope.next() * sine(wrap(carrier + depth * sine(modulator)));
      carrier = wrap(carrier + increment);
      modulator = wrap(modulator + increment * patch.ratio);
    }
  }
}

}  // namespace melgrad::synth
