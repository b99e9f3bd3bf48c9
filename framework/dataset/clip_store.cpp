#include "framework/dataset/clip_store.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/one_hot.h"
#include "kernels/standardise.h"

namespace melgrad {

Standardisation standardisation_of(std::span<const LogMel> clips) {
  MELGRAD_CHECK(!clips.empty(), "no features to standardise by");
  Standardisation result;
  for (int64_t mel = 0; mel < clips[0].n_mels; ++mel) {
    double sum = 0, squares = 0, count = 0;
    for (const LogMel& clip : clips) {
      for (const float db :
           std::span(clip.db).subspan(static_cast<size_t>(mel * clip.frames), static_cast<size_t>(clip.frames))) {
        sum += static_cast<double>(db);
        squares += static_cast<double>(db) * static_cast<double>(db);
      }
      count += static_cast<double>(clip.frames);
    }
    const double mean = sum / count, deviation = std::sqrt(std::max(0.0, squares / count - mean * mean));
    result.mean.push_back(static_cast<float>(mean));
    // A bin that never changes (above the range of a low-rate recording) has deviation 0. Dividing by 1 keeps its
    // values at 0. The rounding error of a double sum of equal floats is far below 1e-3.
    result.deviation.push_back(deviation > 1e-3 ? static_cast<float>(deviation) : 1.0f);
  }
  return result;
}

int64_t crop_frames_for(std::span<const LogMel> clips) {
  MELGRAD_CHECK(!clips.empty(), "no clips to fit a crop to");
  std::vector<int64_t> lengths;
  for (const LogMel& clip : clips) lengths.push_back(clip.frames);
  const auto median = lengths.begin() + std::ssize(lengths) / 2;
  std::ranges::nth_element(lengths, median);
  return std::clamp<int64_t>(*median / 16 * 16, 32, longest_automatic_crop);
}

std::vector<float> inverse_of(std::span<const float> deviations) {
  std::vector<float> inverse;
  for (const float deviation : deviations) inverse.push_back(1 / deviation);
  return inverse;
}

ClipStore::ClipStore(std::span<const LogMel> clips, std::span<const int> labels, int64_t classes,
                     const Standardisation& standardisation, Device device)
    : device_(device),
      classes_(classes),
      top_db_(static_cast<float>(standardisation.top_db)),
      labels_(labels.begin(), labels.end()) {
  MELGRAD_CHECK(clips.size() == labels.size() && !clips.empty(), "{} clips with {} labels", clips.size(),
                labels.size());
  n_mels_ = clips[0].n_mels;
  MELGRAD_CHECK(standardisation.mean.size() == static_cast<size_t>(n_mels_),
                "standardisation of {} mel bins, features of {}", standardisation.mean.size(), n_mels_);
  mean_ = Tensor::from(standardisation.mean, {n_mels_}, device);
  inverse_std_ = Tensor::from(inverse_of(standardisation.deviation), {n_mels_}, device);
  zeros_ = Tensor::zeros({n_mels_}, DType::float32, device);
  ones_ = Tensor::full({n_mels_}, 1, device);
  std::vector<kernel::Clip> table;
  for (const LogMel& clip : clips) {
    MELGRAD_CHECK(clip.n_mels == n_mels_ && clip.frames > 0, "a clip of {} mel bins, {} frames among clips of {} bins",
                  clip.n_mels, clip.frames, n_mels_);
    features_.push_back(Tensor::from(clip.db, {clip.n_mels, clip.frames}, device));
    frames_.push_back(clip.frames);
    table.push_back({features_.back().as<float>(), clip.frames});
  }
  clips_ = {table, device};
  device_labels_ = {std::vector<int32_t>(labels.begin(), labels.end()), device};
}

Batch ClipStore::random_crops(const BatchItems& picks, int64_t crop_frames, DType dtype, Generator& generator) const {
  const auto n = static_cast<int64_t>(picks.on_host.size());
  const DeviceArray<int64_t> starts(picks.on_host.size(), device_);
  kernel::random_crop_starts(Stream::of(device_), clips_.data(), picks.on_device, starts.data(), n, crop_frames,
                             generator.draw());
  return cut(n, picks.on_device, starts.data(), crop_frames, dtype);
}

Batch ClipStore::crops(std::span<const int64_t> picks, std::span<const int64_t> starts, int64_t crop_frames,
                       DType dtype) const {
  const DeviceArray<int64_t> device_picks(picks, device_), device_starts(starts, device_);
  return cut(static_cast<int64_t>(picks.size()), device_picks.data(), device_starts.data(), crop_frames, dtype);
}

Batch ClipStore::cut(int64_t n, const int64_t* picks, const int64_t* starts, int64_t crop_frames, DType dtype) const {
  Stream& stream = Stream::of(device_);
  const Batch batch{.x = Tensor::empty({n, n_mels_, crop_frames, 1}, dtype, device_),
                    .targets = Tensor::empty({n, classes_}, DType::float32, device_)};
  if (top_db_ > 0) {
    const Tensor db = Tensor::empty(batch.x.shape(), DType::float32, device_);
    kernel::crop(stream, clips_.data(), picks, starts, db.data(), DType::float32, n, n_mels_, crop_frames,
                 zeros_.as<float>(), ones_.as<float>());
    kernel::limit_and_standardise(stream, db.as<float>(),
                                  {.batch = n,
                                   .n_mels = n_mels_,
                                   .frames = crop_frames,
                                   .example_stride = n_mels_ * crop_frames,
                                   .mel_stride = crop_frames},
                                  top_db_, mean_.as<float>(), inverse_std_.as<float>(), batch.x.data(), dtype);
  } else {
    kernel::crop(stream, clips_.data(), picks, starts, batch.x.data(), dtype, n, n_mels_, crop_frames,
                 mean_.as<float>(), inverse_std_.as<float>());
  }
  kernel::one_hot(stream, device_labels_.data(), picks, batch.targets.as<float>(), n, classes_);
  return batch;
}

}  // namespace melgrad
