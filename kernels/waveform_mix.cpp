#include "kernels/waveform_mix.h"

#include "kernels/device/parallel.h"

namespace melgrad::kernel::cpu {
namespace {

// Replaces a and b by own_a * a + partner_a * b and own_b * b + partner_b * a.
void mix_pair(float* a, float* b, MixingWeights of_a, MixingWeights of_b, int64_t n) {
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) {
    const float x = a[i], y = b[i];
    a[i] = of_a.own * x + of_a.partner * y;
    b[i] = of_b.own * y + of_b.partner * x;
  }
}

}  // namespace

void waveform_mix(Stream&, const Recording* recordings, const int64_t* picks, float* y, float* targets,
                  WaveformShape shape, int64_t classes, WaveformChange change, RandomStream random, float alpha,
                  RandomStream mixing) {
  MELGRAD_CHECK(alpha > 0, "waveform_mix: alpha {} is not above 0", alpha);
  for_each_task(shape.batch / 2, [&](int64_t i) {
    const int64_t partner = shape.batch - 1 - i;
    const Mixture a = mixture_of(recordings, picks, i, shape, change, random, alpha, mixing);
    const Mixture b = mixture_of(recordings, picks, partner, shape, change, random, alpha, mixing);
    mix_pair(y + i * shape.stride, y + partner * shape.stride, a.weights, b.weights, shape.length);
    mix_pair(targets + i * classes, targets + partner * classes, {a.ratio, 1 - a.ratio}, {b.ratio, 1 - b.ratio},
             classes);
  });
}

}  // namespace melgrad::kernel::cpu
