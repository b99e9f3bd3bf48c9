#include "kernels/mel.h"

#include <algorithm>
#include <array>
#include <vector>

#include "kernels/device/ceil_divide.h"
#include "kernels/device/parallel.h"
#include "kernels/device/scratch.h"
#include "kernels/fft.h"

namespace melgrad::kernel::cpu {
namespace {

// The samples of frame t. If the frame reaches beyond the samples, it is copied to `padded` [n_fft].
const float* frame_at(int64_t t, const float* samples, const MelFrames& frames, float* padded) {
  const int64_t start = frames.start + t * frames.hop_length;
  const int64_t first = std::max<int64_t>(start, 0), last = std::min(start + frames.n_fft, frames.length);
  if (last - first == frames.n_fft) return samples + start;
  std::fill_n(padded, frames.n_fft, 0.0f);
  if (first < last) std::copy(samples + first, samples + last, padded + (first - start));
  return padded;
}

// Computes as many frames at a time as a register has lanes. A lane without a frame repeats the last one.
template <class Real>
void compute_log_mel(Stream& stream, const float* samples, const double* window, float* db, const MelFilters& filters,
                     const MelFrames& frames) {
  constexpr int64_t frames_per_task = 32, most_lanes = 16;
  const RealFft<Real>& fft = real_fft<Real>(frames.n_fft);
  const int64_t lanes = fft.lanes(), tasks = ceil_divide(frames.count, frames_per_task);
  const std::vector<Real> rounded_window(window, window + frames.n_fft);
  const int64_t scratch_size = spectrum::FrameGroup<Real>::scratch(fft.tables()) * lanes;
  for_each_task(tasks, [&](int64_t task) {
    const Scratch scratch(stream, static_cast<size_t>(scratch_size) * sizeof(Real));
    const Scratch padded(stream, static_cast<size_t>(frames.n_fft * lanes) * sizeof(float));
    const int64_t end = std::min(frames.count, (task + 1) * frames_per_task);
    for (int64_t first = task * frames_per_task; first < end; first += lanes) {
      std::array<const float*, most_lanes> starts{};
      for (int64_t lane = 0; lane < lanes; ++lane) {
        float* const copy = static_cast<float*>(padded.get()) + lane * frames.n_fft;
        starts[static_cast<size_t>(lane)] = frame_at(std::min(first + lane, end - 1), samples, frames, copy);
      }
      spectrum::level().of<Real>().log_mel({.fft = fft.tables(),
                                            .window = rounded_window.data(),
                                            .frames = starts.data(),
                                            .n_mels = filters.n_mels,
                                            .first_bin = filters.first_bin,
                                            .offset = filters.offset,
                                            .weights = filters.weights,
                                            .db = db + first,
                                            .db_row = frames.count,
                                            .count = std::min(lanes, end - first)},
                                           static_cast<Real*>(scratch.get()));
    }
  });
}

}  // namespace

void log_mel_spectrogram(Stream& stream, const float* samples, const double* window, float* db, MelFilters filters,
                         MelFrames frames) {
  if (frames.count == 0) return;
  if (frames.precision == FftPrecision::float32) {
    compute_log_mel<float>(stream, samples, window, db, filters, frames);
  } else {
    compute_log_mel<double>(stream, samples, window, db, filters, frames);
  }
}

void limit_dynamic_range(Stream&, float* db, int64_t n, float top_db) {
  if (n == 0) return;
  // A maximum of each chunk. Within it, several maxima: the compiler keeps them in registers.
  constexpr int64_t columns = 16;
  std::vector<float> maxima(static_cast<size_t>(ceil_divide(n, elements_per_chunk)));
  for_each_chunk(n, elements_per_chunk, [&](int64_t chunk, int64_t begin, int64_t end) {
    std::array<float, columns> largest;
    largest.fill(db[begin]);
    int64_t i = begin;
    for (; i + columns <= end; i += columns) {
      for (size_t k = 0; k < columns; ++k) {
        const float value = db[i + static_cast<int64_t>(k)];
        largest[k] = value > largest[k] ? value : largest[k];
      }
    }
    for (; i < end; ++i) largest[0] = std::max(largest[0], db[i]);
    maxima[static_cast<size_t>(chunk)] = *std::max_element(largest.begin(), largest.end());
  });
  const float floor = *std::max_element(maxima.begin(), maxima.end()) - top_db;
  for_each_chunk(n, elements_per_chunk, [&](int64_t, int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) db[i] = std::max(db[i], floor);
  });
}

}  // namespace melgrad::kernel::cpu
