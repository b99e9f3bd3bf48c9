// Effects on the samples of a part or a mix, in place.
#pragma once

#include <span>

namespace melgrad::synth {

// Overdriven amplifier and loudspeaker. `drive` is the gain before saturation: 1 is almost clean, 50 heavy distortion.
void distort(std::span<float> samples, float drive, float sample_rate);

// Modulates the loudness by `depth` (0 to 1) at `hertz`, as a Leslie speaker, a vibraphone or a guitar amplifier does.
void tremolo(std::span<float> samples, float hertz, float depth, float sample_rate);

// Sweeps a resonance up and down at `hertz`.
void wah(std::span<float> samples, float hertz, float sample_rate);

// Repeats the sound every `seconds`. Each repeat is `feedback` times as loud as the one before.
void echo(std::span<float> samples, float seconds, float feedback, float wet, float sample_rate);

// Reverberation of a room in which sound takes `seconds` to fall by 60 dB: parallel combs, then all-passes (Schroeder
// 1962), with damped combs (Moorer 1979). `size` scales the distances of the walls; 1 is a hall.
void reverberate(std::span<float> samples, float seconds, float size, float wet, float sample_rate);

}  // namespace melgrad::synth
