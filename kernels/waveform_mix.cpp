#include "kernels/waveform_mix.h"

#include "kernels/device/parallel.h"

namespace melgrad::kernel::cpu {
namespace {

void mix_pair(float* a, float* b, MixingWeights of_a, MixingWeights of_b, int64_t n) {
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) mix(a[i], b[i], of_a, of_b);
}

}  // namespace

void waveform_mix(Stream&, const Recording* recordings, const int64_t* picks, float* y, float* targets,
                  WaveformShape shape, int64_t classes, WaveformChange change, RandomStream random, float alpha,
                  RandomStream mixing) {
  require_mixable(alpha, "waveform_mix");
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
