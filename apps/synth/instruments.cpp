#include "apps/synth/instruments.h"

#include <algorithm>
#include <vector>

#include "kernels/device/error.h"

namespace melgrad::synth {
namespace {

std::vector<Instrument> make_orchestra() {
  const auto string = [](float half_life, float brightness, float pick) {
    return PluckedString{.half_life = half_life, .brightness = brightness, .pick = pick};
  };
  const auto bowed = [](float attack, float cutoff, int players) {
    return Subtractive{.oscillators = players,
                       .detune = 0.2f,
                       .envelope = {attack, 0.5f, 0.9f, 0.12f},
                       .cutoff = cutoff,
                       .breath = 0.02f};
  };
  const auto reed = [](Waveform waveform, float cutoff, float breath) {
    return Subtractive{.waveform = waveform,
                       .envelope = {0.03f, 0.3f, 0.75f, 0.05f},
                       .cutoff = cutoff,
                       .sweep = 0.7f,
                       .sweep_decay = 0.08f,
                       .q = 1.2f,
                       .breath = breath};
  };
  return {
      {"piano", PluckedString{.strings = 2, .half_life = 0.9f, .brightness = 0.55f, .pick = 0.12f}},
      {"honky-tonk piano",
       PluckedString{.strings = 2, .detune = 0.2f, .half_life = 0.6f, .brightness = 0.65f, .pick = 0.12f}},
      {"harpsichord", string(0.5f, 0.85f, 0.1f)},
      {"nylon guitar", string(0.4f, 0.35f, 0.25f)},
      {"steel guitar", string(0.6f, 0.65f, 0.15f)},
      {"banjo", string(0.13f, 0.75f, 0.07f)},
      {"clean guitar", string(0.7f, 0.5f, 0.3f)},
      {"wah guitar", string(0.3f, 0.7f, 0.2f), 0, 0, true},
      {"overdriven guitar", string(1.0f, 0.5f, 0.2f), 5, 0, false, true},
      {"distorted guitar", string(1.2f, 0.5f, 0.15f), 40, 0, false, true},
      {"muted guitar", string(0.06f, 0.4f, 0.1f), 40},
      {"upright bass", string(0.5f, 0.2f, 0.3f)},
      {"electric bass", string(0.9f, 0.35f, 0.2f)},
      {"picked bass", string(0.8f, 0.6f, 0.1f)},
      {"slap bass", string(0.6f, 0.8f, 0.05f)},
      {"sub bass", Additive{{{1, 1}, {2, 0.15f}}, {0.01f, 0.6f, 0.5f, 0.05f}}},
      {"synth bass", Subtractive{.envelope = {0.003f, 0.2f, 0.6f, 0.03f}, .cutoff = 3, .sweep = 2.5f, .q = 1.5f}},
      {"bass strings", bowed(0.09f, 5, 2)},
      {"strings", bowed(0.1f, 5, 3)},
      {"violin", bowed(0.06f, 6, 1), 0, 0, false, true},
      {"fiddle", bowed(0.02f, 8, 1), 0, 0, false, true},
      {"synth pad", Subtractive{.oscillators = 3, .detune = 0.25f, .envelope = {0.2f, 1, 0.8f, 0.3f}, .cutoff = 3}},
      {"synth lead", Subtractive{.oscillators = 2, .detune = 0.1f, .cutoff = 6, .sweep = 1, .q = 1.5f}},
      {"square lead", Subtractive{.waveform = Waveform::square, .cutoff = 5}},
      {"clavinet", Subtractive{.waveform = Waveform::square, .envelope = {0.002f, 0.15f, 0.1f, 0.02f}, .cutoff = 8}},
      {"brass", reed(Waveform::saw, 5, 0.01f)},
      {"trumpet", reed(Waveform::saw, 6, 0.02f), 0, 0, false, true},
      {"saxophone", reed(Waveform::square, 5, 0.08f), 0, 0, false, true},
      {"melodica", reed(Waveform::square, 4, 0.03f)},
      {"pedal steel", Subtractive{.envelope = {0.05f, 1, 0.6f, 0.2f}, .cutoff = 4}, 0, 0.2f, false, true},
      {"voice", Subtractive{.envelope = {0.04f, 0.3f, 0.8f, 0.05f}, .breath = 0.05f, .vowel = true}, 0, 0, false, true},
      {"electric piano", FrequencyModulation{1, 1.5f, 0.3f, 0.2f, {0.003f, 0.7f, 0.1f, 0.06f}}, 0, 0.3f},
      {"vibraphone", FrequencyModulation{4, 0.8f, 0.1f, 0.1f, {0.002f, 0.6f, 0, 0.15f}}, 0, 0.5f},
      {"bell", FrequencyModulation{3.5f, 2.5f, 0.2f, 0.3f, {0.002f, 0.5f, 0, 0.3f}}},
      {"organ",
       Additive{{{0.5f, 0.6f}, {1, 0.8f}, {1.5f, 0.5f}, {2, 0.5f}, {3, 0.3f}, {4, 0.2f}}, {0.01f, 1, 1, 0.02f}}, 0,
       0.4f},
      {"flute", Additive{{{1, 1}, {2, 0.35f}, {3, 0.12f}, {4, 0.04f}}, {0.06f, 0.4f, 0.85f, 0.06f}, 0.15f}, 0, 0, false,
       true},
      {"harmonica",
       Additive{{{1, 0.7f}, {2, 0.8f}, {3, 0.6f}, {4, 0.5f}, {5, 0.4f}, {6, 0.3f}, {7, 0.2f}},
                {0.03f, 0.4f, 0.85f, 0.04f},
                0.05f},
       0, 0.3f, false, true},
  };
}

void vary_patch(PluckedString& patch, Draws& draws) {
  patch.half_life *= exp2(0.8f * draws.around_zero());
  patch.brightness = std::min(0.95f, patch.brightness * exp2(0.6f * draws.around_zero()));
  patch.pick *= exp2(0.6f * draws.around_zero());
  patch.detune *= exp2(draws.around_zero());
}

void vary_envelope(Envelope& envelope, Draws& draws) {
  envelope.attack *= exp2(0.8f * draws.around_zero());
  envelope.decay *= exp2(0.8f * draws.around_zero());
  envelope.release *= exp2(0.8f * draws.around_zero());
}

void vary_patch(Subtractive& patch, Draws& draws) {
  vary_envelope(patch.envelope, draws);
  patch.cutoff *= exp2(1.2f * draws.around_zero());
  patch.detune *= exp2(draws.around_zero());
  patch.sweep *= exp2(0.6f * draws.around_zero());
  patch.breath *= exp2(1.5f * draws.around_zero());
}

void vary_patch(FrequencyModulation& patch, Draws& draws) {
  vary_envelope(patch.envelope, draws);
  patch.index *= exp2(draws.around_zero());
  patch.index_decay *= exp2(draws.around_zero());
}

void vary_patch(Additive& patch, Draws& draws) {
  vary_envelope(patch.envelope, draws);
  patch.breath *= exp2(draws.around_zero());
  const float slope = 0.6f * draws.around_zero();
  for (Partial& partial : patch.partials) partial.amplitude *= exp2(slope * (partial.multiple - 1));
}

}  // namespace

const Instrument& instrument(std::string_view name) {
  static const std::vector<Instrument> orchestra = make_orchestra();
  const auto found =
      std::find_if(orchestra.begin(), orchestra.end(), [&](const auto& one) { return one.name == name; });
  if (found == orchestra.end()) fail("there is no instrument '{}'; instruments.cpp lists them", name);
  return *found;
}

Instrument vary(const Instrument& instrument, Draws& draws) {
  Instrument varied = instrument;
  std::visit([&](auto& patch) { vary_patch(patch, draws); }, varied.patch);
  varied.drive *= exp2(1.5f * draws.around_zero());
  varied.tremolo_depth *= draws.uniform();
  return varied;
}

void play(const Instrument& instrument, const Note& note, std::span<float> track, float sample_rate, Draws& draws) {
  const auto begin = static_cast<size_t>(std::max(0.0f, note.start) * sample_rate);
  if (begin >= track.size()) return;
  const std::span<float> out = track.subspan(begin);
  std::visit(
      [&](const auto& patch) {
        if constexpr (requires { play(patch, note, out, sample_rate); }) {
          play(patch, note, out, sample_rate);
        } else {
          play(patch, note, out, sample_rate, draws);
        }
      },
      instrument.patch);
}

}  // namespace melgrad::synth
