#include "kernels/waveform_crop.h"

#include <algorithm>
#include <numbers>

#include "kernels/device/ceil_divide.h"
#include "kernels/device/parallel.h"

namespace melgrad::kernel {
namespace {

// The modified Bessel function of the first kind and order 0 (Abramowitz & Stegun 9.6.12).
double bessel_i0(double x) {
  double term = 1, sum = 1;
  for (int k = 1; term > 1e-12 * sum; ++k) {
    term *= x * x / (4.0 * k * k);
    sum += term;
  }
  return sum;
}

}  // namespace

std::vector<float> interpolation_table() {
  constexpr double beta = 6, half = interpolation_taps / 2.0;
  std::vector<float> table;
  for (int phase = 0; phase <= interpolation_phases; ++phase) {
    double weights[interpolation_taps], sum = 0;
    for (int k = 0; k < interpolation_taps; ++k) {
      const double distance = k - (half - 1) - static_cast<double>(phase) / interpolation_phases;
      const double sinc = distance == 0 ? 1 : std::sin(std::numbers::pi * distance) / (std::numbers::pi * distance);
      const double place = distance / half;
      weights[k] = place * place < 1 ? sinc * bessel_i0(beta * std::sqrt(1 - place * place)) / bessel_i0(beta) : 0;
      if (phase % interpolation_phases == 0) weights[k] = distance == 0 ? 1 : 0;
      sum += weights[k];
    }
    for (const double weight : weights) table.push_back(static_cast<float>(weight / sum));
  }
  return table;
}

namespace cpu {
namespace {

float weighted_sum(const int16_t* samples, const float* table, const Interpolation& at) {
  float products[interpolation_taps];
  for (int k = 0; k < interpolation_taps; ++k) {
    products[k] = static_cast<float>(samples[k]) * interpolation_weight(table, at, k);
  }
  for (int half = interpolation_taps / 2; half > 0; half /= 2) {
    for (int k = 0; k < half; ++k) products[k] += products[k + half];
  }
  return products[0];
}

void render(const Recording& recording, const WaveformDraw& draw, const float* table, float* y, int64_t begin,
            int64_t end) {
  const float factor = recording.scale * std::pow(10.0f, draw.gain / 20);
  for (int64_t t = begin; t < end; ++t) {
    const Interpolation at = interpolation_at((draw.start << position_bits) + t * draw.step);
    const int64_t first = at.first;
    if (first >= 0 && first + interpolation_taps <= recording.length) {
      y[t] = factor * weighted_sum(recording.samples + first, table, at);
    } else {
      int16_t samples[interpolation_taps];
      for (int k = 0; k < interpolation_taps; ++k) {
        samples[k] = recording.samples[repeated(first + k, recording.length)];
      }
      y[t] = factor * weighted_sum(samples, table, at);
    }
  }
}

}  // namespace

void waveform_crop(Stream&, const Recording* recordings, const int64_t* picks, const float* table, float* y,
                   WaveformShape shape, WaveformChange change, RandomStream random) {
  const int64_t parts = ceil_divide(shape.length, elements_per_chunk);
  for_each_task(shape.batch * parts, [&](int64_t task) {
    const int64_t example = task / parts, part = task % parts;
    const Recording& recording = recordings[picks[example]];
    float* const out = y + example * shape.stride;
    const int64_t end = std::min(shape.length, (part + 1) * elements_per_chunk);
    render(recording, draw_waveform(recording, shape.length, example, change, random), table, out,
           part * elements_per_chunk, end);
    if (end == shape.length) std::fill(out + shape.length, out + shape.stride, 0.0f);
  });
}

}  // namespace cpu
}  // namespace melgrad::kernel
