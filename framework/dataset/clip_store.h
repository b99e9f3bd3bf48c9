// The log-mel spectrograms of a set of tracks in the memory of a device, and the batches cut from them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "framework/audio/log_mel.h"
#include "framework/device_array.h"
#include "framework/random.h"
#include "framework/tensor.h"
#include "framework/training/batch_source.h"
#include "kernels/crop.h"

namespace melgrad {

// Mean and standard deviation of the training tracks' dB values in each mel bin. A checkpoint stores them.
struct Standardisation {
  std::vector<float> mean, deviation;  // [n_mels]
  // Above 0: values of a crop that are further below its maximum are raised to this limit (dB). 0: the dynamic range of
  // whole clips is limited already.
  double top_db = 0;
};
// 1 / deviation of each.
std::vector<float> inverse_of(std::span<const float> deviations);
Standardisation standardisation_of(std::span<const LogMel> clips);

// A crop length that suits the clips: 256 frames, or less if the median clip is shorter, because a crop that is longer
// than a clip repeats it. A shorter length is a multiple of 16, because cnn divides it by 16, and at least 32.
constexpr int64_t longest_automatic_crop = 256;
int64_t crop_frames_for(std::span<const LogMel> clips);

class ClipStore {
 public:
  // labels[i] in [0, classes) is the class of clips[i]. All clips have the same n_mels and at least one frame.
  ClipStore(std::span<const LogMel> clips, std::span<const int> labels, int64_t classes, const Standardisation&,
            Device);

  int64_t size() const { return static_cast<int64_t>(labels_.size()); }
  int label(int64_t clip) const { return labels_[static_cast<size_t>(clip)]; }
  int64_t frames(int64_t clip) const { return frames_[static_cast<size_t>(clip)]; }
  int64_t n_mels() const { return n_mels_; }
  Device device() const { return device_; }
  // 1 / deviation, [n_mels]: the factors of the crops' features.
  const Tensor& inverse_std() const { return inverse_std_; }

  // Batches have x [n, n_mels, crop_frames, 1], standardised, of the given dtype, and one-hot targets [n, classes].

  // One crop of each picked clip. The device draws the first frames. A clip shorter than a crop is repeated.
  Batch random_crops(const BatchItems& picks, int64_t crop_frames, DType dtype, Generator& generator) const;
  // One crop of each picked clip, beginning at frame starts[i].
  Batch crops(std::span<const int64_t> picks, std::span<const int64_t> starts, int64_t crop_frames, DType dtype) const;

 private:
  Batch cut(int64_t n, const int64_t* picks, const int64_t* starts, int64_t crop_frames, DType dtype) const;

  Device device_;
  int64_t n_mels_ = 0, classes_;
  float top_db_;                              // of a crop; 0: not limited
  Tensor mean_, inverse_std_, zeros_, ones_;  // [n_mels]
  std::vector<int> labels_;
  std::vector<int64_t> frames_;
  std::vector<Tensor> features_;
  DeviceArray<kernel::Clip> clips_;
  DeviceArray<int32_t> device_labels_;
};

}  // namespace melgrad
