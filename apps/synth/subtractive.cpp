#include "apps/synth/subtractive.h"

#include <algorithm>
#include <array>

#include "apps/synth/filter.h"

namespace melgrad::synth {
namespace {

// PolyBLEP (Valimaki and Huovilainen 2007): rounds a step of the waveform over two samples to reduce aliasing.
float rounded_step(float phase, float increment) {
  if (phase < increment) {
    const float x = phase / increment;
    return 2 * x - x * x - 1;
  }
  if (phase > 1 - increment) {
    const float x = (phase - 1) / increment;
    return x * x + 2 * x + 1;
  }
  return 0;
}

float saw(float phase, float increment) { return 2 * phase - 1 - rounded_step(phase, increment); }

float square(float phase, float increment) {
  const float opposite = phase < 0.5f ? phase + 0.5f : phase - 0.5f;
  return (phase < 0.5f ? 1.0f : -1.0f) + rounded_step(phase, increment) - rounded_step(opposite, increment);
}

template <float (*waveform)(float, float)>
void add_oscillator(float& phase, float increment, float* out, int count) {
  for (int i = 0; i < count; ++i) {
    out[i] += waveform(phase, increment);
    phase += increment;
    phase -= phase >= 1 ? 1.0f : 0.0f;
  }
}

struct Vowel {
  float first, second;  // formant frequencies in Hz
};
// Averages of men (Peterson and Barney 1952): father, bet, beet, bought, boot.
constexpr std::array<Vowel, 5> vowels = {{{730, 1090}, {530, 1840}, {270, 2290}, {570, 840}, {300, 870}}};

}  // namespace

void play(const Subtractive& patch, const Note& note, std::span<float> out, float sample_rate, Draws& draws) {
  const float hertz = hertz_of_midi(note.pitch);
  std::array<float, 4> phases{}, ratios{};
  const int oscillators = std::min<int>(patch.oscillators, static_cast<int>(phases.size()));
  for (int k = 0; k < oscillators; ++k) {
    const auto at = static_cast<size_t>(k);
    phases[at] = draws.uniform();
    const float place = oscillators > 1 ? static_cast<float>(k) / static_cast<float>(oscillators - 1) - 0.5f : 0;
    ratios[at] = exp2(place * patch.detune / 12);
  }
  Noise noise(draws.bits());
  const Vowel& vowel = vowels[static_cast<size_t>(draws.below(static_cast<int>(vowels.size())))];
  Filter first = Filter::band_pass(vowel.first, 5, sample_rate);
  Filter second = Filter::band_pass(vowel.second, 8, sample_rate);
  Filter low_pass = Filter::low_pass(patch.cutoff * hertz, patch.q, sample_rate);
  EnvelopeGenerator envelope(patch.envelope, note.seconds, sample_rate);
  const float amplitude = note.velocity / std::sqrt(static_cast<float>(oscillators));

  std::array<float, control_block> block;
  for (size_t begin = 0; begin < out.size() && !envelope.finished(); begin += control_block) {
    const int count = static_cast<int>(std::min<size_t>(control_block, out.size() - begin));
    const float seconds = static_cast<float>(begin) / sample_rate;
    const float increment = std::min(0.45f, hertz * pitch_factor(note, seconds) / sample_rate);
    for (float& sample : block) sample = patch.breath * noise.next();
    for (size_t k = 0; k < static_cast<size_t>(oscillators); ++k) {
      if (patch.waveform == Waveform::saw) {
        add_oscillator<saw>(phases[k], increment * ratios[k], block.data(), count);
      } else {
        add_oscillator<square>(phases[k], increment * ratios[k], block.data(), count);
      }
    }
    if (!patch.vowel) {
      low_pass.tune(patch.cutoff * hertz * exp2(patch.sweep * exp2(-seconds / patch.sweep_decay)), sample_rate);
    }
    for (int i = 0; i < count; ++i) {
      const float raw = block[static_cast<size_t>(i)];
      const float tone = patch.vowel ? 1.5f * first(raw) + second(raw) : low_pass(raw);
      out[begin + static_cast<size_t>(i)] += amplitude * envelope.next() * tone;
    }
  }
}

}  // namespace melgrad::synth
