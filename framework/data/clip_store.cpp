#include "framework/data/clip_store.h"

#include <cmath>

namespace melgrad {

Standardisation standardisation_of(std::span<const LogMel> clips) {
  double sum = 0, squares = 0, count = 0;
  for (const LogMel& clip : clips) {
    // One clip at a time in double: the sums of a large set would lose digits.
    double clip_sum = 0, clip_squares = 0;
    for (const float db : clip.db) {
      clip_sum += static_cast<double>(db);
      clip_squares += static_cast<double>(db) * static_cast<double>(db);
    }
    sum += clip_sum;
    squares += clip_squares;
    count += static_cast<double>(clip.db.size());
  }
  MELGRAD_CHECK(count > 0, "no features to standardise by");
  const double mean = sum / count;
  const double variance = std::max(0.0, squares / count - mean * mean);
  // Digital silence has no deviation; dividing by one leaves it the zeros that it is.
  return {static_cast<float>(mean), variance > 0 ? static_cast<float>(std::sqrt(variance)) : 1.0f};
}

ClipStore::ClipStore(std::span<const LogMel> clips, std::span<const int> labels, int64_t classes,
                     Standardisation standardisation, Device device)
    : device_(device), classes_(classes), standardisation_(standardisation), labels_(labels.begin(), labels.end()) {
  MELGRAD_CHECK(clips.size() == labels.size() && !clips.empty(), "{} clips with {} labels", clips.size(), labels.size());
  n_mels_ = clips[0].n_mels;
  std::vector<kernel::Clip> table;
  for (const LogMel& clip : clips) {
    MELGRAD_CHECK(clip.n_mels == n_mels_ && clip.frames > 0, "a clip of {} mel bins, {} frames among clips of {} bins",
                  clip.n_mels, clip.frames, n_mels_);
    features_.push_back(Tensor::from(clip.db, {clip.n_mels, clip.frames}, device));
    frames_.push_back(clip.frames);
    table.push_back({features_.back().as<float>(), clip.frames});
  }
  clips_ = {table, device};
}

Batch ClipStore::random_crops(std::span<const int64_t> picks, int64_t crop_frames, Generator& generator) const {
  const DeviceArray<int64_t> device_picks(picks, device_), starts(picks.size(), device_);
  kernel::random_crop_starts(Stream::of(device_), clips_.data(), device_picks.data(), starts.data(),
                             static_cast<int64_t>(picks.size()), crop_frames, generator.draw());
  return cut(picks, device_picks, starts, crop_frames);
}

Batch ClipStore::crops(std::span<const int64_t> picks, std::span<const int64_t> starts, int64_t crop_frames) const {
  return cut(picks, {picks, device_}, {starts, device_}, crop_frames);
}

Batch ClipStore::cut(std::span<const int64_t> picks, const DeviceArray<int64_t>& device_picks,
                     const DeviceArray<int64_t>& starts, int64_t crop_frames) const {
  const auto n = static_cast<int64_t>(picks.size());
  Batch batch{.x = Tensor::empty({n, n_mels_, crop_frames, 1}, DType::float32, device_), .targets = {}};
  kernel::crop(Stream::of(device_), clips_.data(), device_picks.data(), starts.data(), batch.x.data(), batch.x.dtype(), n,
               n_mels_, crop_frames, standardisation_.mean, 1 / standardisation_.deviation);
  std::vector<float> one_hot(static_cast<size_t>(n * classes_));
  for (int64_t i = 0; i < n; ++i) {
    one_hot[static_cast<size_t>(i * classes_ + label(picks[static_cast<size_t>(i)]))] = 1;
  }
  batch.targets = Tensor::from(one_hot, {n, classes_}, device_);
  return batch;
}

}  // namespace melgrad
