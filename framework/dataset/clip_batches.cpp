#include "framework/dataset/clip_batches.h"

#include <utility>

namespace melgrad {

CropOptions unchanged_crops(int64_t crop_frames) {
  return {.crop_frames = crop_frames, .augmentation = {.jitter = {}, .spec_augment = {}, .mixup_alpha = 0}};
}

ClipBatches::ClipBatches(const ClipStore& clips, std::vector<std::string> names, const CropOptions& options)
    : clips_(clips), names_(std::move(names)), options_(options) {
  MELGRAD_CHECK(static_cast<int64_t>(names_.size()) == clips.size(), "{} names for {} clips", names_.size(),
                clips.size());
}

EpochSize ClipBatches::epoch_size() const {
  return {.items = clips_.size(),
          .examples_per_item = options_.crops_per_track,
          .items_name = "tracks",
          .examples_name = "crops"};
}

Batch ClipBatches::batch(const BatchItems& tracks, Generator& generator) const {
  Batch crops = clips_.random_crops(tracks, options_.crop_frames, options_.precision, generator);
  return augment(std::move(crops), clips_.inverse_std(), options_.augmentation, generator);
}

void ClipBatches::prepare(std::span<const int64_t> tracks, Generator& on_host) const {
  clips_.prepare_random_crops(tracks, options_.crop_frames, on_host);
}

void ClipBatches::read_ahead(std::span<const int64_t> tracks) const { clips_.read_ahead(tracks); }

std::string ClipBatches::name(int64_t track) const { return names_[static_cast<size_t>(track)]; }

}  // namespace melgrad
