// The statistics of features by which a model standardises its input.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "framework/dataset/mel_clip.h"

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

// Sums over clips, which are added a few at a time, because all of them may be larger than the memory. The sums of a
// bin are added in the order of the clips and frames, whatever the threads and the number of clips at a time.
class FeatureStatistics {
 public:
  // On the threads of the pool. All clips have the same n_mels and at least one frame.
  void add(std::span<const MelClip> clips);

  // Needs at least one clip.
  Standardisation standardisation() const;
  float lowest() const { return lowest_; }
  float highest() const { return highest_; }

 private:
  struct Bin {
    double sum = 0, squares = 0;
    float lowest = 0, highest = 0;
  };
  std::vector<Bin> bins_;
  double count_ = 0;  // of frames
  float lowest_ = 0, highest_ = 0;
};

Standardisation standardisation_of(std::span<const MelClip> clips);
Standardisation standardisation_of(std::span<const LogMel> clips);

}  // namespace melgrad
