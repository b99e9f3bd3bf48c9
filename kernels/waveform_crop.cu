// Crops of recordings.
//
// Memory traffic per sample: 2 bytes read at speed 1 (each thread reads 8 neighbouring samples; all but one come from
// the L1 cache), 4 bytes written. The table, 8 KiB, stays in the L1 cache.
#include "kernels/waveform_crop.h"

#include "kernels/device/rows.cuh"

namespace melgrad::kernel::cuda {
namespace {

// A row of items is one example; an item is one sample.
__global__ void __launch_bounds__(row_threads)
    cut_waveforms(const Recording* recordings, const int64_t* picks, const float* table, float* y, WaveformShape shape,
                  WaveformChange change, RandomStream random) {
  const int64_t example = blockIdx.x;
  const Recording recording = recordings[picks[example]];
  const WaveformDraw draw = draw_waveform(recording, shape.length, example, change, random);
  const float factor = recording.scale * powf(10.0f, draw.gain / 20);
  for_each_item(shape.stride, [&](int64_t t) {
    float sum = 0;
    if (t < shape.length) {
      const Interpolation at = interpolation_at((draw.start << position_bits) + t * draw.step);
      const int64_t first = at.first;
      const bool inside = first >= 0 && first + interpolation_taps <= recording.length;
      for (int k = 0; k < interpolation_taps; ++k) {
        const int64_t i = inside ? first + k : repeated(first + k, recording.length);
        sum += static_cast<float>(recording.samples[i]) * interpolation_weight(table, at, k);
      }
    }
    y[example * shape.stride + t] = factor * sum;
  });
}

}  // namespace

void waveform_crop(Stream& stream, const Recording* recordings, const int64_t* picks, const float* table, float* y,
                   WaveformShape shape, WaveformChange change, RandomStream random) {
  if (shape.batch == 0) return;
  constexpr int64_t samples_per_thread = 8;
  launch(cut_waveforms, row_grid(shape.batch, shape.stride, samples_per_thread), row_threads, 0, stream, recordings,
         picks, table, y, shape, change, random);
}

}  // namespace melgrad::kernel::cuda
