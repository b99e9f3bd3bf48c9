#include "kernels/mel.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/device/parallel.h"
#include "kernels/fft.h"
#include "kernels/lanes.h"

namespace melgrad::kernel::cpu {
namespace {

constexpr float smallest_power = 1e-10f;

// Transposes a 4 x 4 matrix.
void transpose(LaneRegister* rows) {
  const LaneRegister a = __builtin_shufflevector(rows[0], rows[1], 0, 4, 2, 6);
  const LaneRegister b = __builtin_shufflevector(rows[0], rows[1], 1, 5, 3, 7);
  const LaneRegister c = __builtin_shufflevector(rows[2], rows[3], 0, 4, 2, 6);
  const LaneRegister d = __builtin_shufflevector(rows[2], rows[3], 1, 5, 3, 7);
  rows[0] = __builtin_shufflevector(a, c, 0, 1, 4, 5);
  rows[1] = __builtin_shufflevector(b, d, 0, 1, 4, 5);
  rows[2] = __builtin_shufflevector(a, c, 2, 3, 6, 7);
  rows[3] = __builtin_shufflevector(b, d, 2, 3, 6, 7);
}

// Multiplies four frames by the window and interleaves them: signal[i] holds sample i of each.
void gather_frames(const float* const* frames, const double* window, int64_t n_fft, Lanes* signal) {
  int64_t i = 0;
  for (; i + fft_lanes <= n_fft; i += fft_lanes) {
    const LaneRegister weights = load(window + i);
    LaneRegister rows[fft_lanes];
    for (int lane = 0; lane < fft_lanes; ++lane) rows[lane] = load(frames[lane] + i) * weights;
    transpose(rows);
    for (int row = 0; row < fft_lanes; ++row) as_register(signal[i + row]) = rows[row];
  }
  for (; i < n_fft; ++i) {
    for (int lane = 0; lane < fft_lanes; ++lane) signal[i].values[lane] = frames[lane][i] * window[i];
  }
}

// The buffers in which one thread transforms four frames.
class Workspace {
 public:
  explicit Workspace(const RealFft& fft)
      : fft_(fft), signal_(fft.length()), power_(fft.bins()), spectrum_(fft.bins()), scratch_(fft.workspace()) {}

  // |FFT|^2 of four frames, [bins].
  const Lanes* power_spectra(const float* const* frames, const double* window) {
    gather_frames(frames, window, fft_.length(), signal_.data());
    fft_.forward(signal_.data(), spectrum_.data(), scratch_.data());
    for (int64_t k = 0; k < fft_.bins(); ++k) {
      const LaneRegister re = as_register(spectrum_[k].re), im = as_register(spectrum_[k].im);
      as_register(power_[k]) = re * re + im * im;
    }
    return power_.data();
  }

 private:
  const RealFft& fft_;
  std::vector<Lanes> signal_, power_;
  std::vector<ComplexLanes> spectrum_, scratch_;
};

}  // namespace

void log_mel_spectrogram(Stream&, const float* samples, const double* window, float* db, MelFilters filters,
                         MelFrames frames) {
  const RealFft& fft = real_fft(frames.n_fft);
  constexpr int64_t frames_per_chunk = 64;  // outweigh the allocation of a workspace
  for_each_chunk(frames.count, frames_per_chunk, [&](int64_t, int64_t begin, int64_t end) {
    Workspace workspace(fft);
    for (int64_t first = begin; first < end; first += fft_lanes) {
      const int64_t count = std::min<int64_t>(fft_lanes, end - first);
      const float* starts[fft_lanes];
      for (int64_t lane = 0; lane < fft_lanes; ++lane) {
        starts[lane] = samples + (first + std::min(lane, count - 1)) * frames.hop_length;
      }
      const Lanes* power = workspace.power_spectra(starts, window);
      for (int64_t mel = 0; mel < filters.n_mels; ++mel) {
        const Lanes* bin = power + filters.first_bin[mel];
        LaneRegister sum{};
        for (int32_t i = filters.offset[mel]; i < filters.offset[mel + 1]; ++i, ++bin) {
          sum += as_register(*bin) * double{filters.weights[i]};
        }
        float* out = db + mel * frames.count + first;
        for (int64_t lane = 0; lane < count; ++lane) {
          out[lane] = 10.0f * std::log10(std::max(smallest_power, static_cast<float>(sum[lane])));
        }
      }
    }
  });
}

void limit_dynamic_range(Stream&, float* db, int64_t n, float top_db) {
  if (n == 0) return;
  const float floor = *std::max_element(db, db + n) - top_db;
  for (int64_t i = 0; i < n; ++i) db[i] = std::max(db[i], floor);
}

}  // namespace melgrad::kernel::cpu
