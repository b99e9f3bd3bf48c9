// Effects on a whole part or mix, in place.
#pragma once

#include <span>

namespace melgrad::synth {

// An overdriven amplifier and its loudspeaker: `drive` is the gain into saturation, 1 almost clean, 50 a wall.
void distort(std::span<float> samples, float drive, float sample_rate);

// Swings the loudness by `depth` (0..1) at `hertz`: a Leslie speaker, a vibraphone's motor, a guitar amplifier.
void tremolo(std::span<float> samples, float hertz, float depth, float sample_rate);

// A resonance swept up and down at `hertz`.
void wah(std::span<float> samples, float hertz, float sample_rate);

// Repeats every `seconds`, each `feedback` times the last.
void echo(std::span<float> samples, float seconds, float feedback, float wet, float sample_rate);

// A room in which sound takes `seconds` to fall by 60 dB (Schroeder 1962: parallel combs, then all-passes; the combs'
// damping after Moorer 1979). `size` scales the walls' distances, 1 a hall.
void reverberate(std::span<float> samples, float seconds, float size, float wet, float sample_rate);

}  // namespace melgrad::synth
