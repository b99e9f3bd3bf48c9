// Training batches of log-mel spectrograms: random crops of the tracks' clips, augmented.
#pragma once

#include <string>
#include <vector>

#include "framework/dataset/augmentation.h"
#include "framework/dataset/clip_store.h"
#include "framework/training/batch_source.h"
#include "kernels/waveform_crop.h"

namespace melgrad {

struct CropOptions {
  int64_t crop_frames = 256;
  int64_t crops_per_track = 1;  // in an epoch
  DType precision = DType::float32;
  // Changes of the samples before the spectrogram, which need WaveformBatches (waveform_batches.h).
  kernel::WaveformChange waveform;
  float waveform_mixup_alpha = 0;  // 0: recordings are not mixed
  Augmentation augmentation;

  bool needs_waveforms() const { return !waveform.none() || waveform_mixup_alpha > 0; }
};

// Crops as they are, for what must see the data itself. The defaults above are those of a training.
CropOptions unchanged_crops(int64_t crop_frames);

// An item is a track. Batches have x [n, n_mels, crop_frames, 1] of `precision` and targets [n, classes].
class ClipBatches : public BatchSource {
 public:
  // names[i] is the name of clip i. `clips` must outlive this object.
  ClipBatches(const ClipStore& clips, std::vector<std::string> names, const CropOptions& options);

  EpochSize epoch_size() const override;
  Batch batch(const BatchItems& tracks, Generator& generator) const override;
  void prepare(std::span<const int64_t> tracks, Generator& on_host) const override;
  void read_ahead(std::span<const int64_t> tracks) const override;
  std::string name(int64_t track) const override;

 private:
  const ClipStore& clips_;
  std::vector<std::string> names_;
  CropOptions options_;
};

}  // namespace melgrad
