#include "framework/audio/mel_filter_bank.h"

#include <algorithm>
#include <cmath>

namespace melgrad {
namespace {

constexpr double slaney_break_hz = 1000;
constexpr double slaney_hz_per_mel = 200.0 / 3;
constexpr double slaney_break_mel = slaney_break_hz / slaney_hz_per_mel;
const double slaney_log_step = std::log(6.4) / 27;

}  // namespace

double hz_to_mel(double hz, bool htk) {
  if (htk) return 2595 * std::log10(1 + hz / 700);
  if (hz < slaney_break_hz) return hz / slaney_hz_per_mel;
  return slaney_break_mel + std::log(hz / slaney_break_hz) / slaney_log_step;
}

double mel_to_hz(double mel, bool htk) {
  if (htk) return 700 * (std::pow(10.0, mel / 2595) - 1);
  if (mel < slaney_break_mel) return mel * slaney_hz_per_mel;
  return slaney_break_hz * std::exp(slaney_log_step * (mel - slaney_break_mel));
}

std::vector<double> mel_frequencies(const MelSettings& settings) {
  const double lowest = hz_to_mel(settings.fmin, settings.htk);
  const double step = (hz_to_mel(settings.highest_frequency(), settings.htk) - lowest) / (settings.n_mels + 1);
  std::vector<double> frequencies;
  for (int i = 0; i < settings.n_mels + 2; ++i) frequencies.push_back(mel_to_hz(lowest + i * step, settings.htk));
  return frequencies;
}

int64_t empty_mel_filters(const MelSettings& settings) {
  const std::vector<double> frequencies = mel_frequencies(settings);
  const double bin_hz = static_cast<double>(settings.sample_rate) / settings.n_fft;
  int64_t empty = 0;
  for (size_t i = 0; i + 2 < frequencies.size(); ++i) {
    const double first_inside = bin_hz * (std::floor(frequencies[i] / bin_hz) + 1);
    if (first_inside >= frequencies[i + 2]) ++empty;
  }
  return empty;
}

MelFilterBank::MelFilterBank(const MelSettings& settings, Device device) {
  std::vector<int32_t> first_bin, offset{0};
  std::vector<float> weights;
  const std::vector<double> frequencies = mel_frequencies(settings);
  const double bin_hz = static_cast<double>(settings.sample_rate) / settings.n_fft;
  for (int i = 0; i < settings.n_mels; ++i) {
    const double lower = frequencies[i], peak = frequencies[i + 1], upper = frequencies[i + 2];
    const int first = static_cast<int>(std::floor(lower / bin_hz));
    const int last = std::min(settings.n_fft / 2, static_cast<int>(std::ceil(upper / bin_hz)));
    first_bin.push_back(first);
    for (int bin = first; bin <= last; ++bin) {
      const double hz = bin * bin_hz;
      const double triangle = std::max(0.0, std::min((hz - lower) / (peak - lower), (upper - hz) / (upper - peak)));
      weights.push_back(static_cast<float>(triangle * 2 / (upper - lower)));
    }
    offset.push_back(static_cast<int32_t>(weights.size()));
  }
  first_bin_ = {first_bin, device};
  offset_ = {offset, device};
  weights_ = {weights, device};
}

kernel::MelFilters MelFilterBank::filters() const {
  return {first_bin_.size(), weights_.size(), first_bin_.data(), offset_.data(), weights_.data()};
}

}  // namespace melgrad
