#include "framework/dataset/fingerprint.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "framework/audio/mel_filter_bank.h"

namespace melgrad {
namespace {

constexpr int64_t bands = fingerprint_bits + 1;
// Codecs and low sample rates hardly change these bands.
constexpr double lowest_hz = 300, highest_hz = 3000;
constexpr double smoothing_seconds = 0.2, change_seconds = 0.2, shortest_step_seconds = 0.02;
constexpr double least_change_db = 0.5;  // a step with a smaller mean difference is not informative

int64_t count_of(double seconds, double unit_seconds) {
  return std::max<int64_t>(1, std::lround(seconds / unit_seconds));
}

// A range of mel bins.
struct Bins {
  int64_t first = 0, count = 0;
};

Bins fingerprint_bins(const MelSettings& settings) {
  const std::vector<double> frequencies = mel_frequencies(settings);  // the peak of bin i is [i + 1]
  const auto begin = frequencies.begin() + 1, end = frequencies.end() - 1;
  const auto first = std::lower_bound(begin, end, lowest_hz), last = std::upper_bound(begin, end, highest_hz);
  return {.first = first - begin, .count = std::max<int64_t>(0, last - first)};
}

// The mean dB of a band's bins over the `window` frames from each frame on.
std::vector<float> smoothed_band(const MelClip& clip, int64_t first_bin, int64_t bin_count, int64_t window) {
  std::vector<double> sums(static_cast<size_t>(clip.frames) + 1);
  const std::span<const float> db = clip.db();
  for (int64_t frame = 0; frame < clip.frames; ++frame) {
    double level = 0;
    for (int64_t bin = first_bin; bin < first_bin + bin_count; ++bin) {
      level += static_cast<double>(db[static_cast<size_t>(bin * clip.frames + frame)]);
    }
    sums[static_cast<size_t>(frame) + 1] = sums[static_cast<size_t>(frame)] + level;
  }
  std::vector<float> smoothed;
  const double weight = 1.0 / static_cast<double>(bin_count * window);
  for (size_t end = static_cast<size_t>(window), begin = 0; end < sums.size(); ++begin, ++end) {
    smoothed.push_back(static_cast<float>((sums[end] - sums[begin]) * weight));
  }
  return smoothed;
}

}  // namespace

Fingerprint make_fingerprint(const MelClip& clip, const MelSettings& settings) {
  const double frame_seconds = static_cast<double>(settings.hop_length) / settings.sample_rate;
  const int64_t window = count_of(smoothing_seconds, frame_seconds), change = count_of(change_seconds, frame_seconds);
  const int64_t stride = count_of(shortest_step_seconds, frame_seconds);
  Fingerprint result;
  result.step_seconds = static_cast<double>(stride) * frame_seconds;
  result.lookup_distance = (window + change + stride - 1) / stride;

  const Bins bins = fingerprint_bins(settings);
  // The first and last frames include zero padding, which is not part of the recording.
  const int64_t edge = settings.n_fft / 2 / settings.hop_length + 1;
  const int64_t last = clip.frames - edge - window - change;  // last frame at which a word may begin
  if (bins.count < bands || last < edge) return result;

  std::vector<std::vector<float>> levels;
  for (int64_t band = 0; band < bands; ++band) {
    const int64_t begin = bins.count * band / bands, end = bins.count * (band + 1) / bands;
    levels.push_back(smoothed_band(clip, bins.first + begin, end - begin, window));
  }
  for (int64_t frame = edge; frame <= last; frame += stride) {
    const auto now = static_cast<size_t>(frame), then = static_cast<size_t>(frame + change);
    unsigned word = 0;
    float total = 0;
    for (size_t bit = 0; bit < fingerprint_bits; ++bit) {
      const float difference = levels[bit][then] - levels[bit + 1][then] - levels[bit][now] + levels[bit + 1][now];
      word |= static_cast<unsigned>(difference > 0) << bit;
      total += std::abs(difference);
    }
    result.words.push_back(static_cast<uint16_t>(word));
    result.informative.push_back(total >= static_cast<float>(least_change_db * fingerprint_bits));
  }
  return result;
}

Agreement compare(const Fingerprint& first, const Fingerprint& second, int64_t offset) {
  const auto size = [](const Fingerprint& print) { return static_cast<int64_t>(print.words.size()); };
  int64_t steps = 0, equal_bits = 0;
  for (int64_t i = std::max<int64_t>(0, offset); i < std::min(size(first), size(second) + offset); ++i) {
    const auto a = static_cast<size_t>(i), b = static_cast<size_t>(i - offset);
    if (!first.informative[a] || !second.informative[b]) continue;
    ++steps;
    equal_bits += fingerprint_bits - std::popcount(static_cast<uint16_t>(first.words[a] ^ second.words[b]));
  }
  if (steps == 0) return {};
  return {.share = static_cast<double>(equal_bits) / static_cast<double>(steps * fingerprint_bits),
          .overlap_seconds = static_cast<double>(steps) * first.step_seconds};
}

}  // namespace melgrad
