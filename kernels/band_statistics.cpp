#include "kernels/band_statistics.h"

#include <algorithm>
#include <vector>

#include "kernels/device/parallel.h"

namespace melgrad::kernel::cpu {
namespace {

// The mean of each group of `group` values; the last group may be shorter.
std::vector<float> group_means(const std::vector<float>& values, size_t group) {
  std::vector<float> means;
  for (size_t begin = 0; begin < values.size(); begin += group) {
    const size_t end = std::min(values.size(), begin + group);
    float sum = 0;
    for (size_t i = begin; i < end; ++i) sum += values[i];
    means.push_back(sum / static_cast<float>(end - begin));
  }
  return means;
}

float square(float x) { return x * x; }

// The mean of the mel bins of a band in each frame.
void average_bins(const float* x, AdaptiveWindow bins, std::vector<float>& v) {
  const auto frames = static_cast<int64_t>(v.size());
  std::ranges::fill(v, 0.0f);
  for (int64_t bin = bins.begin; bin < bins.end; ++bin) {
    for (int64_t frame = 0; frame < frames; ++frame) v[static_cast<size_t>(frame)] += x[bin * frames + frame];
  }
  for (float& value : v) value /= static_cast<float>(bins.size());
}

void write_statistics(const std::vector<float>& v, float* statistics, int64_t stride) {
  const std::vector<float> p = group_means(v, 2), e = group_means(v, 8), g = group_means(v, 32);
  BandSums sums;
  for (size_t frame = 0; frame < v.size(); ++frame) {
    sums.v_p += square(v[frame] - p[frame / 2]);
    sums.p_e += square(p[frame / 2] - e[frame / 8]);
    sums.e_g += square(e[frame / 8] - g[frame / 32]);
    sums.g_g0 += g[frame / 32] - g[0];
    sums.squares += square(g[frame / 32] - g[0]);
  }
  sums.write(g[0], static_cast<float>(v.size()), statistics, stride);
}

}  // namespace

void band_statistics(Stream&, const float* x, float* y, BandStatistics size) {
  for_each_row(size.images * size.bands, size.bins(0).size() * size.frames, [&](int64_t row) {
    const int64_t image = row / size.bands, band = row % size.bands;
    std::vector<float> v(static_cast<size_t>(size.frames));
    average_bins(x + image * size.n_mels * size.frames, size.bins(band), v);
    write_statistics(v, y + image * BandStatistics::count * size.bands + band, size.bands);
  });
}

}  // namespace melgrad::kernel::cpu
