// Log-mel spectrograms. If n_fft is a power of two from 256 to 4096, one kernel does it all
// (fused_mel.cuh). Otherwise cuFFT transforms windowed frames, then one kernel computes power, mel bands and decibels.
//
// Memory traffic per frame with cuFFT: about 32 n_fft bytes of float64 rows (written, transformed in place, read),
// which stay in the L2 cache; 4 hop_length bytes of samples and 4 n_mels bytes of results in device memory.
// limit_dynamic_range reads each value twice and writes it once: 12 bytes.
//
// Frames are processed in chunks of half the L2 cache. Eight lanes share a filter, and a transposed sum leaves one band
// in each lane of a warp, so no lane idles in the logarithm.
#include "kernels/mel.h"

#include <algorithm>
#include <bit>

#include "kernels/device/cufft.cuh"
#include "kernels/device/rows.cuh"
#include "kernels/fused_mel.cuh"

namespace melgrad::kernel::cuda {
namespace {

constexpr int64_t samples_per_thread = 8;

// A row of items is a frame. Each row of rows [frames, row] receives n_fft windowed samples.
__global__ void __launch_bounds__(row_threads)
    window_frames(const float* samples, const double* window, double* rows, int64_t row, MelFrames frames) {
  const int64_t start = frames.start + blockIdx.x * frames.hop_length;
  double* const to = rows + blockIdx.x * row;
  for_each_item(frames.n_fft, [&](int64_t i) {
    to[i] = static_cast<double>(sample_at(samples, start + i, frames.length)) * window[i];
  });
}

// A block computes a tile of mel bands by frames. A warp takes one frame; each group of `lanes_per_band` lanes sums the
// bins of one band after another, and at the end each lane holds the result of one band.
constexpr int tile_frames = 8, tile_bands = warp_size;
constexpr int lanes_per_band = 8, bands_per_lane = tile_bands * lanes_per_band / warp_size;
static_assert(bands_per_lane == lanes_per_band);

__device__ float power(cufftDoubleComplex bin) {
  const auto re = static_cast<float>(bin.x), im = static_cast<float>(bin.y);
  return re * re + im * im;
}

// spectra [frames, bins] -> the first `frames` columns of db [n_mels, db_row].
__global__ void __launch_bounds__(warp_size* tile_frames)
    mel_decibels(const cufftDoubleComplex* spectra, int64_t bins, float* db, int64_t db_row, int64_t frames,
                 MelFilters filters) {
  SHARED(float, tile, [tile_bands][tile_frames + 1]);  // + 1: the stores have no bank conflicts
  const int64_t first_frame = static_cast<int64_t>(blockIdx.x) * tile_frames;
  const int64_t first_band = static_cast<int64_t>(blockIdx.y) * tile_bands;
  const auto lane = static_cast<int>(threadIdx.x), warp = static_cast<int>(threadIdx.y);

  float sums[bands_per_lane] = {};
  const cufftDoubleComplex* const spectrum = spectra + (first_frame + warp) * bins;
#pragma unroll
  for (int k = 0; k < bands_per_lane; ++k) {
    const int64_t band = first_band + lane / lanes_per_band * bands_per_lane + k;
    if (band >= filters.n_mels || first_frame + warp >= frames) continue;
    const int32_t begin = filters.offset[band], end = filters.offset[band + 1];
    for (int32_t i = begin + lane % lanes_per_band; i < end; i += lanes_per_band) {
      sums[k] += filters.weights[i] * power(spectrum[filters.first_bin[band] + i - begin]);
    }
  }
  tile[lane][warp] = 10.0f * log10f(max(smallest_power, transposed_sum<lanes_per_band, 1>(sums)));
  __syncthreads();

  const int thread = warp * warp_size + lane;
  const int64_t band = first_band + thread / tile_frames, frame = first_frame + thread % tile_frames;
  if (band < filters.n_mels && frame < frames)
    db[band * db_row + frame] = tile[thread / tile_frames][thread % tile_frames];
}

// The number of frames to transform at once: their rows fill half the L2 cache, because samples and results pass
// through it too. A chunk has at least 8 MiB, even if it does not fit a smaller cache, because tiny launches would cost
// more.
int64_t frames_in_chunk(int64_t count, int64_t row_bytes, int64_t l2_bytes) {
  constexpr int64_t least_bytes = 8 << 20;
  const int64_t cached_bytes = std::max(least_bytes, l2_bytes / 2);
  const auto most =
      static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(std::max<int64_t>(1, cached_bytes / row_bytes))));
  // Chunks of nearly equal size, in steps of most / 16, because every size needs a cuFFT plan of its own.
  const int64_t even = ceil_divide(count, ceil_divide(count, most)), granule = std::max<int64_t>(1, most / 16);
  return ceil_divide(even, granule) * granule;
}

constexpr int64_t maxima_blocks = 64, values_per_thread = 4;

// Each warp finds the largest value of its share.
__global__ void __launch_bounds__(row_threads) find_maxima(const float* db, int64_t n, float* maxima) {
  float largest = -INFINITY;
  for_each_item(n, [&](int64_t i) { largest = max(largest, db[i]); });
  largest = warp_max(largest);
  if (threadIdx.x % warp_size == 0) maxima[(blockIdx.y * row_threads + threadIdx.x) / warp_size] = largest;
}

__global__ void __launch_bounds__(row_threads)
    raise_to_floor(float* db, int64_t n, const float* maxima, int count, float top_db) {
  float largest = -INFINITY;
  for (int i = static_cast<int>(threadIdx.x) % warp_size; i < count; i += warp_size) largest = max(largest, maxima[i]);
  const float floor = warp_max(largest) - top_db;
  for_each_item(n, [&](int64_t i) { db[i] = max(db[i], floor); });
}

}  // namespace

void log_mel_spectrogram(Stream& stream, const float* samples, const double* window, float* db, MelFilters filters,
                         MelFrames frames) {
  if (frames.count * filters.n_mels == 0) return;
  if (launch_fused_mel(stream, samples, window, db, filters, frames)) return;
  const int64_t bins = frames.n_fft / 2 + 1, row = 2 * bins;
  const int64_t row_bytes = row * static_cast<int64_t>(sizeof(double));
  const int64_t chunk = frames_in_chunk(frames.count, row_bytes, properties(stream).l2CacheSize);
  const BatchedFft& fft = BatchedFft::of(frames.n_fft, chunk);
  const int64_t rows_bytes = ceil_divide<int64_t>(chunk * row_bytes, 256) * 256;
  auto* const memory = static_cast<char*>(stream.workspace(static_cast<size_t>(rows_bytes) + fft.work_bytes()));
  auto* const rows = reinterpret_cast<double*>(memory);

  for (int64_t first = 0; first < frames.count; first += chunk) {
    const int64_t count = std::min(chunk, frames.count - first);
    MelFrames of_chunk = frames;
    of_chunk.start += first * frames.hop_length;
    launch(window_frames, row_grid(count, frames.n_fft, samples_per_thread), row_threads, 0, stream, samples, window,
           rows, row, of_chunk);
    fft.forward(stream, rows, memory + rows_bytes);  // the whole chunk; rows from `count` on are not used
    launch(mel_decibels,
           dim3(static_cast<unsigned>(ceil_divide<int64_t>(count, tile_frames)),
                static_cast<unsigned>(ceil_divide<int64_t>(filters.n_mels, tile_bands))),
           dim3(warp_size, tile_frames), 0, stream, reinterpret_cast<const cufftDoubleComplex*>(rows), bins, db + first,
           frames.count, count, filters);
  }
}

void limit_dynamic_range(Stream& stream, float* db, int64_t n, float top_db) {
  if (n == 0) return;
  dim3 grid = row_grid(1, n, values_per_thread);
  grid.y = std::min<unsigned>(grid.y, maxima_blocks);
  const auto warps = static_cast<int>(grid.y) * row_threads / warp_size;
  auto* const maxima = static_cast<float*>(stream.workspace(warps * sizeof(float)));
  launch(find_maxima, grid, row_threads, 0, stream, db, n, maxima);
  launch(raise_to_floor, grid, row_threads, 0, stream, db, n, maxima, warps, top_db);
}

}  // namespace melgrad::kernel::cuda
