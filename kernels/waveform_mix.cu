// Mixtures of recordings.
//
// Memory traffic per sample: 4 bytes read, 4 written. A small kernel draws the ratios and mixes the targets; a block of
// the other one mixes both examples of a pair.
#include "kernels/waveform_mix.h"

#include "kernels/device/rows.cuh"

namespace melgrad::kernel::cuda {
namespace {

struct PairWeights {
  MixingWeights first, second;
};

// A block is one warp and one pair. All lanes draw the same ratios: one lane alone would take as long.
__global__ void mix_waveform_targets(const Recording* recordings, const int64_t* picks, float* targets,
                                     PairWeights* weights, WaveformShape shape, int64_t classes, WaveformChange change,
                                     RandomStream random, float alpha, RandomStream mixing) {
  const int64_t first = blockIdx.x, second = shape.batch - 1 - first;
  const Mixture a = mixture_of(recordings, picks, first, shape, change, random, alpha, mixing);
  const Mixture b = mixture_of(recordings, picks, second, shape, change, random, alpha, mixing);
  if (threadIdx.x == 0) weights[first] = {a.weights, b.weights};
  for (int64_t c = threadIdx.x; c < classes; c += warp_size) {
    mix(targets[first * classes + c], targets[second * classes + c], {a.ratio, 1 - a.ratio}, {b.ratio, 1 - b.ratio});
  }
}

// A row of items is one pair; an item is one sample of both.
__global__ void __launch_bounds__(row_threads)
    mix_waveform_pairs(float* y, const PairWeights* weights, WaveformShape shape) {
  const PairWeights pair = weights[blockIdx.x];
  float* const first = y + blockIdx.x * shape.stride;
  float* const second = y + (shape.batch - 1 - blockIdx.x) * shape.stride;
  for_each_item(shape.length, [&](int64_t t) { mix(first[t], second[t], pair.first, pair.second); });
}

}  // namespace

void waveform_mix(Stream& stream, const Recording* recordings, const int64_t* picks, float* y, float* targets,
                  WaveformShape shape, int64_t classes, WaveformChange change, RandomStream random, float alpha,
                  RandomStream mixing) {
  require_mixable(alpha, "waveform_mix");
  const int64_t pairs = shape.batch / 2;
  if (pairs == 0) return;
  auto* const weights = static_cast<PairWeights*>(stream.workspace(pairs * sizeof(PairWeights)));
  launch(mix_waveform_targets, static_cast<unsigned>(pairs), warp_size, 0, stream, recordings, picks, targets, weights,
         shape, classes, change, random, alpha, mixing);
  constexpr int64_t samples_per_thread = 8;
  launch(mix_waveform_pairs, row_grid(pairs, shape.length, samples_per_thread), row_threads, 0, stream, y, weights,
         shape);
}

}  // namespace melgrad::kernel::cuda
