#include "framework/dataset/standardisation.h"

#include <algorithm>
#include <cmath>

#include "kernels/device/error.h"
#include "kernels/device/parallel.h"

namespace melgrad {

std::vector<float> inverse_of(std::span<const float> deviations) {
  std::vector<float> inverse;
  for (const float deviation : deviations) inverse.push_back(1 / deviation);
  return inverse;
}

void FeatureStatistics::add(std::span<const MelClip> clips) {
  if (clips.empty()) return;
  if (bins_.empty()) {
    const float first = clips[0].db().front();
    bins_.resize(static_cast<size_t>(clips[0].n_mels), {.lowest = first, .highest = first});
  }
  for (const MelClip& clip : clips) {
    MELGRAD_CHECK(clip.n_mels == std::ssize(bins_), "a clip of {} mel bins among clips of {}", clip.n_mels,
                  bins_.size());
    count_ += static_cast<double>(clip.frames);
  }
  kernel::for_each_task(std::ssize(bins_), [&](int64_t mel) {
    Bin bin = bins_[static_cast<size_t>(mel)];
    for (const MelClip& clip : clips) {
      const auto frames = static_cast<size_t>(clip.frames);
      for (const float db : clip.db().subspan(static_cast<size_t>(mel) * frames, frames)) {
        bin.sum += static_cast<double>(db);
        bin.squares += static_cast<double>(db) * static_cast<double>(db);
        bin.lowest = std::min(bin.lowest, db);
        bin.highest = std::max(bin.highest, db);
      }
    }
    bins_[static_cast<size_t>(mel)] = bin;
  });
  lowest_ = std::ranges::min(bins_, {}, &Bin::lowest).lowest;
  highest_ = std::ranges::max(bins_, {}, &Bin::highest).highest;
}

Standardisation FeatureStatistics::standardisation() const {
  MELGRAD_CHECK(!bins_.empty(), "no features to standardise by");
  Standardisation result;
  for (const Bin& bin : bins_) {
    const double mean = bin.sum / count_, deviation = std::sqrt(std::max(0.0, bin.squares / count_ - mean * mean));
    result.mean.push_back(static_cast<float>(mean));
    // A bin that never changes (above the range of a low-rate recording) has deviation 0. Dividing by 1 keeps its
    // values at 0. The rounding error of a double sum of equal floats is far below 1e-3.
    result.deviation.push_back(deviation > 1e-3 ? static_cast<float>(deviation) : 1.0f);
  }
  return result;
}

Standardisation standardisation_of(std::span<const MelClip> clips) {
  FeatureStatistics statistics;
  statistics.add(clips);
  return statistics.standardisation();
}

Standardisation standardisation_of(std::span<const LogMel> clips) {
  return standardisation_of(std::vector<MelClip>(clips.begin(), clips.end()));
}

}  // namespace melgrad
