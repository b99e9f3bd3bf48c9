// Statistics of a spectrogram over time.
//
// Memory traffic per element of x: 4 bytes, read once. Each image writes 20 bytes per band.
//
// A warp computes one band. It reads 32 neighbouring frames at a time, one per lane, so that each request is one line
// of 128 bytes, and forms the means of groups of 2, 8 and 32 frames with shuffles.
#include "kernels/band_statistics.h"
#include "kernels/device/ceil_divide.h"
#include "kernels/device/cuda.cuh"

namespace melgrad::kernel::cuda {
namespace {

constexpr int warps = 4;

// The number of frames in the group of `group` frames that contains `frame`.
__device__ float frames_of_group(int64_t frame, int64_t group, int64_t frames) {
  const int64_t begin = frame / group * group;
  return static_cast<float>(frames - begin < group ? frames - begin : group);
}

__device__ float square(float x) { return x * x; }

__global__ void __launch_bounds__(warps* warp_size) compute_statistics(const float* x, float* y, BandStatistics size) {
  const int64_t row = static_cast<int64_t>(blockIdx.x) * warps + threadIdx.x / warp_size;
  if (row >= size.images * size.bands) return;  // the whole warp
  const int lane = static_cast<int>(threadIdx.x % warp_size);
  const int64_t image = row / size.bands, band = row % size.bands;
  const AdaptiveWindow bins = size.bins(band);
  const float* const from = x + (image * size.n_mels + bins.begin) * size.frames;

  BandSums sums;
  float g0 = 0;
  for (int64_t first = 0; first < size.frames; first += warp_size) {
    const int64_t frame = first + lane;
    const bool inside = frame < size.frames;
    float v = 0;
    if (inside) {
      for (int64_t bin = 0; bin < bins.size(); ++bin) v += from[bin * size.frames + frame];
      v /= static_cast<float>(bins.size());
    }
    const float of_2 = v + shuffle_xor(v, 1);
    float of_8 = of_2 + shuffle_xor(of_2, 2);
    of_8 += shuffle_xor(of_8, 4);
    float of_32 = of_8 + shuffle_xor(of_8, 8);
    of_32 += shuffle_xor(of_32, 16);
    const float frames_here = frames_of_group(first, warp_size, size.frames);
    const float g = of_32 / frames_here;
    if (first == 0) g0 = g;
    if (inside) {
      const float p = of_2 / frames_of_group(frame, 2, size.frames);
      const float e = of_8 / frames_of_group(frame, 8, size.frames);
      sums.v_p += square(v - p);
      sums.p_e += square(p - e);
      sums.e_g += square(e - g);
    }
    // The same in every lane.
    sums.g_g0 += frames_here * (g - g0);
    sums.squares += frames_here * square(g - g0);
  }
  sums.v_p = warp_sum(sums.v_p);
  sums.p_e = warp_sum(sums.p_e);
  sums.e_g = warp_sum(sums.e_g);
  if (lane == 0) {
    sums.write(g0, static_cast<float>(size.frames), y + image * BandStatistics::count * size.bands + band, size.bands);
  }
}

}  // namespace

void band_statistics(Stream& stream, const float* x, float* y, BandStatistics size) {
  const int64_t blocks = ceil_divide<int64_t>(size.images * size.bands, warps);
  if (blocks == 0) return;
  MELGRAD_CHECK(blocks <= INT32_MAX, "band_statistics: {} images of {} bands are too many", size.images, size.bands);
  launch(compute_statistics, static_cast<unsigned>(blocks), warps * warp_size, 0, stream, x, y, size);
}

}  // namespace melgrad::kernel::cuda
