// The samples of a set of recordings in the memory of a device, from which training examples are cut.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "framework/dataset/dataset.h"
#include "framework/device_array.h"
#include "framework/terminal/reporter.h"
#include "kernels/waveform_crop.h"

namespace melgrad {

// Mono samples with 16 bits, scaled so that the loudest one uses all of them.
struct RecordingSamples {
  std::vector<int16_t> samples;
  float scale = 0;  // sample i is samples[i] * scale
  float level = 0;  // root mean square, in dB relative to 1; at least -100
};
// Throws Error if there is no sample.
RecordingSamples quantise(std::span<const float> mono);

// Decodes the tracks and resamples them to `sample_rate`, in parallel. Throws Error naming the file that cannot be
// decoded, and Interrupted.
std::vector<RecordingSamples> load_recordings(const Dataset& dataset, std::span<const size_t> tracks, int sample_rate,
                                              const Reporter& reporter);

class RecordingStore {
 public:
  // labels[i] in [0, classes) is the class of recordings[i].
  RecordingStore(std::span<const RecordingSamples> recordings, std::span<const int> labels, int64_t classes, Device);

  int64_t size() const { return recordings_.size(); }
  int64_t classes() const { return classes_; }
  Device device() const { return device_; }
  size_t bytes() const { return bytes_; }  // of all samples
  const kernel::Recording* recordings() const { return recordings_.data(); }
  const int32_t* labels() const { return labels_.data(); }

 private:
  Device device_;
  int64_t classes_;
  size_t bytes_ = 0;
  std::vector<DeviceArray<int16_t>> samples_;
  DeviceArray<kernel::Recording> recordings_;
  DeviceArray<int32_t> labels_;
};

}  // namespace melgrad
