// Training batches from recordings: random crops of the samples, changed and mixed, then log-mel spectrograms computed
// within the training step, with their own augmentation.
#pragma once

#include <string>
#include <vector>

#include "framework/audio/mel_filter_bank.h"
#include "framework/dataset/clip_batches.h"
#include "framework/dataset/recording_store.h"
#include "kernels/mel.h"

namespace melgrad {

// An item is a track. Batches have x [n, n_mels, crop_frames, 1] of `precision` and targets [n, classes]. The features
// are those of a ClipStore with the same settings and `standardisation`, whose top_db must be above 0.
class WaveformBatches : public BatchSource {
 public:
  // names[i] is the name of recording i. `recordings` must outlive this object.
  WaveformBatches(const RecordingStore& recordings, std::vector<std::string> names, const MelSettings& mel,
                  const Standardisation& standardisation, const CropOptions& options);

  EpochSize epoch_size() const override;
  Batch batch(const BatchItems& tracks, Generator& generator) const override;
  std::string name(int64_t track) const override;

 private:
  Batch features(const Tensor& samples, Tensor targets) const;

  const RecordingStore& recordings_;
  std::vector<std::string> names_;
  MelSettings mel_;
  CropOptions options_;
  kernel::FftPrecision precision_;
  float top_db_;
  MelFilterBank filter_bank_;
  DeviceArray<double> window_;
  DeviceArray<float> table_;  // kernel::interpolation_table
  Tensor mean_, inverse_std_;
};

}  // namespace melgrad
