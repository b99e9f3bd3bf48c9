#include "apps/synth/plucked_string.h"

#include <algorithm>
#include <vector>

#include "apps/synth/filter.h"

namespace melgrad::synth {
namespace {

// One period of the excitation: filtered noise without the harmonics that have a node at the plucking position.
std::vector<float> pluck(const PluckedString& patch, float hertz, size_t period, float sample_rate, Noise& noise) {
  std::vector<float> burst(period);
  Filter tone = Filter::low_pass(hertz * (2 + 40 * patch.brightness * patch.brightness), 0.7f, sample_rate);
  for (float& sample : burst) sample = tone(noise.next());
  const size_t node = std::clamp<size_t>(static_cast<size_t>(patch.pick * static_cast<float>(period)), 1, period - 1);
  std::vector<float> combed(period);
  double power = 0;
  for (size_t i = 0; i < period; ++i) {
    combed[i] = burst[i] - burst[(i + node) % period];
    power += static_cast<double>(combed[i]) * combed[i];
  }
  const float scale = 0.5f / std::sqrt(static_cast<float>(power / static_cast<double>(period)) + 1e-9f);
  for (float& sample : combed) sample *= scale;
  return combed;
}

class StringLoop {
 public:
  StringLoop(std::vector<float> burst, size_t longest) : line_(longest, 0.0f) {
    std::copy(burst.begin(), burst.end(), line_.begin());
    write_ = burst.size();
  }

  // `delay` of the whole loop in samples, which includes that of the loop filter. `damping` in (0, 0.5] is its zero.
  void tune(float delay, float damping, float gain) {
    damping_ = damping;
    gain_ = gain;
    const float line = delay - damping - 0.1f;
    whole_ = std::clamp<size_t>(static_cast<size_t>(line), 1, line_.size() - 1);
    const float fraction = line - static_cast<float>(whole_) + 0.1f;
    all_pass_ = (1 - fraction) / (1 + fraction);
  }

  float next() {
    const size_t read = write_ >= whole_ ? write_ - whole_ : write_ + line_.size() - whole_;
    const float x = line_[read];
    const float damped = gain_ * ((1 - damping_) * x + damping_ * last_);
    last_ = x;
    const float tuned = all_pass_ * (damped - all_pass_output_) + all_pass_input_;
    all_pass_input_ = damped;
    all_pass_output_ = tuned;
    line_[write_] = tuned;
    if (++write_ == line_.size()) write_ = 0;
    return tuned;
  }

 private:
  std::vector<float> line_;
  size_t write_ = 0, whole_ = 1;
  float damping_ = 0.5f, gain_ = 1, all_pass_ = 0;
  float last_ = 0, all_pass_input_ = 0, all_pass_output_ = 0;
};

void play_string(const PluckedString& patch, const Note& note, float hertz, std::span<float> out, float sample_rate,
                 Noise& noise) {
  const size_t period = std::max<size_t>(4, static_cast<size_t>(sample_rate / hertz));
  // Enough for a slide from a fourth below.
  StringLoop string(pluck(patch, hertz, period, sample_rate, noise), period + period / 2 + 4);
  const float half_life = patch.half_life * exp2((60 - note.pitch) / 24);
  const float damping = 0.5f - 0.45f * patch.brightness;
  const auto release_at = static_cast<size_t>(note.seconds * sample_rate);
  float released_level = 1;
  for (size_t begin = 0; begin < out.size() && released_level > 1e-3f; begin += control_block) {
    const float seconds = static_cast<float>(begin) / sample_rate;
    const bool released = begin >= release_at;
    const float current_half_life = released ? std::min(half_life, patch.release) : half_life;
    if (released) released_level *= exp2(-control_block / (current_half_life * sample_rate));
    const float delay = sample_rate / (hertz * pitch_factor(note, seconds));
    string.tune(delay, damping, exp2(-delay / (current_half_life * sample_rate)));
    const size_t end = std::min(out.size(), begin + control_block);
    for (size_t i = begin; i < end; ++i) out[i] += note.velocity * string.next();
  }
}

}  // namespace

void play(const PluckedString& patch, const Note& note, std::span<float> out, float sample_rate, Draws& draws) {
  Noise noise(draws.bits());
  for (int k = 0; k < patch.strings; ++k) {
    const float cents = patch.detune * (static_cast<float>(k) - 0.5f * static_cast<float>(patch.strings - 1));
    play_string(patch, note, hertz_of_midi(note.pitch + cents), out, sample_rate, noise);
  }
}

}  // namespace melgrad::synth
