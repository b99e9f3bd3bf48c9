// Cuts training examples of a fixed length out of recordings, at random places, faster or slower, and louder or
// quieter. A change of speed resamples, so it changes pitch and tempo together, as on a turntable.
#pragma once

#include <cmath>
#include <vector>

#include "kernels/device/kernel.h"
#include "kernels/device/philox.h"

namespace melgrad::kernel {

// Mono samples at the rate of the model: sample i is samples[i] * scale, in [-1, 1].
struct Recording {
  const int16_t* samples;
  int64_t length;
  float scale;
  float level;  // root mean square of the samples, in dB relative to 1
};

struct WaveformChange {
  float speed = 0;  // the speed is exp(u), u uniform on [-log(1 + speed), log(1 + speed))
  float gain = 0;   // dB: uniform on [-gain, gain)

  MELGRAD_HOST_DEVICE bool none() const { return speed == 0 && gain == 0; }
};

// Positions in a recording are multiples of 2^-32 samples, so that the CPU and the GPU round alike.
constexpr int position_bits = 32;

struct WaveformDraw {
  int64_t start;  // sample
  int64_t step;   // from one sample of the crop to the next, in units of 2^-position_bits samples
  float gain;     // dB
};

// Uses random.draw(random.place(example)). The start is uniform on all that leave the crop within the recording, or 0
// if there is none.
MELGRAD_HOST_DEVICE inline WaveformDraw draw_waveform(const Recording& recording, int64_t length, int64_t example,
                                                      const WaveformChange& change, const RandomStream& random) {
  const Philox4 bits = random.draw(random.place(example));
  const double u = 2 * static_cast<double>(uniform(bits.v[1])) - 1;
  const double speed = std::exp(u * std::log1p(static_cast<double>(change.speed)));
  const auto step = static_cast<int64_t>(std::llround(speed * static_cast<double>(int64_t{1} << position_bits)));
  const int64_t covered = ((length - 1) * step >> position_bits) + 1;
  const int64_t last = recording.length > covered ? recording.length - covered : 0;
  return {uniform_integer(bits.v[0], last + 1), step, change.gain * (2 * uniform(bits.v[2]) - 1)};
}

// Interpolation by a windowed sinc: a value between two samples is a weighted sum of the 4 before and the 4 after it.
// The weights of 256 places between them are tabulated; those of other places are interpolated linearly. For a sine
// below a quarter of the sample rate, the error is 60 dB below it.
constexpr int interpolation_taps = 8, phase_bits = 8, interpolation_phases = 1 << phase_bits;

// The table, [phases + 1][taps]: sinc with a Kaiser window (beta 6), each row of sum 1. The first row selects the
// sample at tap 3, the last row that at tap 4.
std::vector<float> interpolation_table();

// The first of the 8 samples for a position, the row of the table below the position, and the share of the next row.
struct Interpolation {
  int64_t first;
  int row;
  float share;
};
MELGRAD_HOST_DEVICE inline Interpolation interpolation_at(int64_t position) {
  constexpr int row_bits = position_bits - phase_bits;
  const int64_t row = position >> row_bits;
  const auto rest = static_cast<int32_t>(position - (row << row_bits));
  return {(row >> phase_bits) - (interpolation_taps / 2 - 1), static_cast<int>(row & (interpolation_phases - 1)),
          static_cast<float>(rest) * (1.0f / (1 << row_bits))};
}
// The weight of tap k.
MELGRAD_HOST_DEVICE inline float interpolation_weight(const float* table, const Interpolation& at, int k) {
  const float* const row = table + int64_t{at.row} * interpolation_taps + k;
  return row[0] + at.share * (row[interpolation_taps] - row[0]);
}

// The index of sample i of a recording that is repeated endlessly in both directions.
MELGRAD_HOST_DEVICE inline int64_t repeated(int64_t i, int64_t length) {
  const int64_t rest = i % length;
  return rest < 0 ? rest + length : rest;
}

struct WaveformShape {
  int64_t batch, length;
  int64_t stride;  // elements from one example to the next, at least length
};

// y [batch, stride] float32: sample t < length of example i is that of recording picks[i] at the position
// start + t * speed, times 10^(gain / 20), with draw_waveform(..., i, ...). A recording that is too short is repeated.
// Elements from `length` on are set to 0. picks int64 [batch]; `table` is interpolation_table() in the stream's memory,
// as all arrays.
KERNEL(waveform_crop, const Recording* recordings, const int64_t* picks, const float* table, float* y,
       WaveformShape shape, WaveformChange change, RandomStream random)

}  // namespace melgrad::kernel
