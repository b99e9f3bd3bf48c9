#include "apps/synth/effects.h"

#include <algorithm>
#include <vector>

#include "apps/synth/filter.h"

namespace melgrad::synth {
namespace {

// The modulation of wah and tremolo is computed once per this many samples.
constexpr size_t control_interval = 32;

class Delay {
 public:
  explicit Delay(float samples) : line_(std::max<size_t>(1, static_cast<size_t>(samples))) {}

  float oldest() const { return line_[at_]; }
  void push(float sample) {
    line_[at_] = sample;
    if (++at_ == line_.size()) at_ = 0;
  }

 private:
  std::vector<float> line_;
  size_t at_ = 0;
};

struct Comb {
  Delay delay;
  float feedback, memory = 0;

  float operator()(float x) {
    const float oldest = delay.oldest();
    memory = 0.7f * oldest + 0.3f * memory;
    delay.push(x + feedback * memory);
    return oldest;
  }
};

struct AllPass {
  Delay delay;

  float operator()(float x) {
    const float oldest = delay.oldest(), pushed = x + 0.6f * oldest;
    delay.push(pushed);
    return oldest - 0.6f * pushed;
  }
};

}  // namespace

void distort(std::span<float> samples, float drive, float sample_rate) {
  Filter tight = Filter::high_pass(90, 0.7f, sample_rate), speaker = Filter::low_pass(4500, 0.8f, sample_rate);
  for (float& sample : samples) sample = speaker(saturate(drive * tight(sample)));
}

void tremolo(std::span<float> samples, float hertz, float depth, float sample_rate) {
  for (size_t i = 0; i < samples.size(); ++i) {
    const float phase = wrap(static_cast<float>(i % static_cast<size_t>(sample_rate / hertz)) * hertz / sample_rate);
    samples[i] *= 1 - depth * (0.5f + 0.5f * sine(phase));
  }
}

void wah(std::span<float> samples, float hertz, float sample_rate) {
  Filter resonance = Filter::band_pass(800, 3, sample_rate);
  float phase = 0;
  for (size_t begin = 0; begin < samples.size(); begin += control_interval) {
    resonance.tune(800 * exp2(1.2f * sine(phase)), sample_rate);
    phase = wrap(phase + control_interval * hertz / sample_rate);
    const size_t end = std::min(samples.size(), begin + control_interval);
    for (size_t i = begin; i < end; ++i) samples[i] = 0.4f * samples[i] + 1.5f * resonance(samples[i]);
  }
}

void echo(std::span<float> samples, float seconds, float feedback, float wet, float sample_rate) {
  Delay delay(seconds * sample_rate);
  for (float& sample : samples) {
    const float repeat = delay.oldest();
    delay.push(sample + feedback * repeat);
    sample += wet * repeat;
  }
}

void reverberate(std::span<float> samples, float seconds, float size, float wet, float sample_rate) {
  std::vector<Comb> combs;
  for (const float distance : {0.0437f, 0.0411f, 0.0371f, 0.0297f}) {
    const float delay = size * distance;
    combs.push_back({Delay(delay * sample_rate), exp2(-9.966f * delay / seconds)});
  }
  std::vector<AllPass> diffusers;
  for (const float delay : {0.0050f, 0.0017f}) diffusers.push_back({Delay(delay * sample_rate)});
  for (float& sample : samples) {
    float tail = 0;
    for (Comb& comb : combs) tail += comb(sample);
    tail *= 0.25f;
    for (AllPass& diffuser : diffusers) tail = diffuser(tail);
    sample += wet * tail;
  }
}

}  // namespace melgrad::synth
