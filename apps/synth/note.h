// A note and its loudness envelope.
#pragma once

#include "apps/synth/exact_math.h"

namespace melgrad::synth {

struct Note {
  float start = 0, seconds = 0;  // onset in the track, and length until release
  float pitch = 60;              // MIDI number, fractions allowed
  float velocity = 1;            // amplitude
  float slide = 0;               // distance to `pitch` at the onset in semitones; it halves every 50 ms
  float vibrato = 0;             // depth in semitones; it rises over the first quarter second
};

// Instruments update pitch and filters once per this many samples, because both change slowly.
inline constexpr int control_block = 32;

// Factor of the note's frequency `seconds` after its onset, from slide and vibrato.
inline float pitch_factor(const Note& note, float seconds) {
  const float depth = note.vibrato * (seconds < 0.25f ? 4 * seconds : 1);
  return exp2((note.slide * exp2(-seconds / 0.05f) + depth * sine(wrap(5.5f * seconds))) / 12);
}

// Linear attack in seconds, then exponential decay to `sustain` and, after the end of the note, release to zero. Decay
// and release are half-lives in seconds.
struct Envelope {
  float attack = 0.005f, decay = 0.2f, sustain = 0.7f, release = 0.04f;
};

class EnvelopeGenerator {
 public:
  EnvelopeGenerator(const Envelope& envelope, float note_seconds, float sample_rate)
      : step_(1 / (envelope.attack * sample_rate + 1)),
        decay_(decay_of_half_life(envelope.decay, sample_rate)),
        release_(decay_of_half_life(envelope.release, sample_rate)),
        sustain_(envelope.sustain),
        samples_to_release_(static_cast<int>(note_seconds * sample_rate)) {}

  float next() {
    if (--samples_to_release_ < 0) return level_ *= release_;
    if (attacking_) {
      level_ += step_;
      attacking_ = level_ < 1;
    } else {
      level_ = sustain_ + (level_ - sustain_) * decay_;
    }
    return level_;
  }

  // The rest of the note is inaudible (below -80 dB).
  bool finished() const { return !attacking_or_held() && level_ < 1e-4f; }

 private:
  bool attacking_or_held() const { return samples_to_release_ >= 0 && (attacking_ || sustain_ > 1e-4f); }

  float step_, decay_, release_, sustain_;
  int samples_to_release_;
  float level_ = 0;
  bool attacking_ = true;
};

}  // namespace melgrad::synth
