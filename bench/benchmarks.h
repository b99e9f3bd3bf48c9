// The benchmarks. Each prints its measurements and returns them as JSON; times are medians in seconds.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "kernels/device/dtype.h"
#include "kernels/device/stream.h"

namespace melgrad::bench {

struct Settings {
  Device device = Device::cpu;
  DType precision = DType::float32;
  std::string model = "resnet18";
  int64_t batch_size = 256, n_mels = 128, frames = 130, classes = 10;
  // Only the benchmarks with music use these:
  std::string data;  // a data set, as `melgrad train` takes it
  size_t clips = 8;  // tracks of it that are used, from the first one on
  bool htk = false;  // MelSettings::htk
  std::string npy;   // a file that receives the features of the first track; empty: none
};

// Every op of a ResNet-18 with these sizes, as a share of the speed of a copy and a matrix product on the same device.
nlohmann::ordered_json operations(const Settings&);
// Forward, backward and optimizer step of a whole model, always on the same batch.
nlohmann::ordered_json training_step(const Settings&);
// The forward pass of a whole model in evaluation mode, without gradients.
nlohmann::ordered_json inference(const Settings&);
// Log-mel spectrograms of 256 clips of 3 s.
nlohmann::ordered_json mel(const Settings&);
// Log-mel spectrograms of music in memory, clip by clip.
nlohmann::ordered_json log_mel_clips(const Settings&);
// Decodes files and computes their log-mel spectrograms, without the feature cache.
nlohmann::ordered_json features(const Settings&);

}  // namespace melgrad::bench
