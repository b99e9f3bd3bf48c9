// The features of a set of clips and the batches cut from them.
//
// The place of the features (Residency) changes the speed and the memory, but no bit of a batch. On the CPU, crops are
// cut from the memory of the clips, which may be a file that is mapped: the system reads its pages when they are used
// and may give them up. A GPU gets all clips once, or the crops of each batch.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "framework/dataset/clip_reader.h"
#include "framework/dataset/mel_clip.h"
#include "framework/dataset/residency.h"
#include "framework/dataset/standardisation.h"
#include "framework/device_array.h"
#include "framework/random.h"
#include "framework/tensor.h"
#include "framework/training/batch_source.h"
#include "kernels/crop.h"

namespace melgrad {

// A crop length that suits the clips: 256 frames, or less if the median clip is shorter, because a crop that is longer
// than a clip repeats it. A shorter length is a multiple of 16, because cnn divides it by 16, and at least 32.
constexpr int64_t longest_automatic_crop = 256;
int64_t crop_frames_for(std::span<const MelClip> clips);

class ClipStore {
 public:
  // Computes a clip again that the cache holds in a damaged form.
  using Repair = std::function<MelClip(int64_t clip)>;

  // labels[i] in [0, classes) is the class of clips[i]. All clips have the same n_mels and at least one frame.
  ClipStore(std::vector<MelClip> clips, std::span<const int> labels, int64_t classes, const Standardisation&, Device,
            Residency residency = Residency::automatic, Repair repair = {});
  ClipStore(std::span<const LogMel> clips, std::span<const int> labels, int64_t classes, const Standardisation&,
            Device);
  ClipStore(const ClipStore&) = delete;
  ClipStore& operator=(const ClipStore&) = delete;

  int64_t size() const { return static_cast<int64_t>(labels_.size()); }
  int label(int64_t clip) const { return labels_[static_cast<size_t>(clip)]; }
  int64_t frames(int64_t clip) const { return frames_[static_cast<size_t>(clip)]; }
  int64_t n_mels() const { return n_mels_; }
  Device device() const { return device_; }
  uint64_t bytes() const { return bytes_; }  // of all features
  Residency residency() const { return residency_; }
  // 1 / deviation, [n_mels]: the factors of the crops' features.
  const Tensor& inverse_std() const { return inverse_std_; }

  // Batches have x [n, n_mels, crop_frames, 1], standardised, of the given dtype, and one-hot targets [n, classes].

  // One crop of each picked clip. The first frames are random. A clip shorter than a crop is repeated. A GPU without
  // all clips needs prepare_random_crops before, with the picks of all parts of the batch (Generator::begin_part), the
  // same crop_frames and the same random numbers.
  Batch random_crops(const BatchItems& picks, int64_t crop_frames, DType dtype, Generator& generator) const;
  void prepare_random_crops(std::span<const int64_t> picks, int64_t crop_frames, Generator& on_host) const;
  // One crop of each picked clip, beginning at frame starts[i].
  Batch crops(std::span<const int64_t> picks, std::span<const int64_t> starts, int64_t crop_frames, DType dtype) const;

  // Brings clips into memory in the background, in this order, if they are on a disk.
  void read_ahead(std::span<const int64_t> picks) const;

 private:
  // The crops of one batch on a GPU. Its addresses stay as they are, because graphs of steps contain them.
  struct Stage {
    int64_t most = 0, crop_frames = 0;
    std::vector<float> host;             // [most, n_mels, crop_frames]
    Tensor device;                       // the same
    DeviceArray<kernel::Clip> clips;     // clip i is crop i
    DeviceArray<int64_t> picks, starts;  // 0, 1, 2, ... and 0, 0, 0, ...
  };

  void upload();
  bool is_staged() const { return device_ == Device::cuda && residency_ != Residency::device; }
  void require_intact(std::span<const int64_t> picks) const;
  void require_intact(int64_t clip) const;
  void stage(std::span<const int64_t> picks, std::span<const int64_t> starts, int64_t crop_frames) const;
  Batch cut(int64_t n, const int64_t* picks, const int64_t* starts, int64_t crop_frames, DType dtype,
            int64_t first_staged = 0) const;

  Device device_;
  Residency residency_;
  Repair repair_;
  int64_t n_mels_ = 0, classes_;
  uint64_t bytes_ = 0;
  float top_db_;                              // of a crop; 0: not limited
  Tensor mean_, inverse_std_, zeros_, ones_;  // [n_mels]
  std::vector<int> labels_;
  std::vector<int64_t> frames_;
  mutable std::vector<MelClip> clips_;                   // empty if the device is a GPU that has all of them
  mutable std::unique_ptr<std::atomic<bool>[]> intact_;  // of clips_
  std::vector<Tensor> features_;                         // of a GPU
  mutable DeviceArray<kernel::Clip> table_;
  DeviceArray<int32_t> device_labels_;
  mutable Stage stage_;
  mutable std::unique_ptr<ClipReader> reader_;  // last: it uses the clips until it ends
};

}  // namespace melgrad
