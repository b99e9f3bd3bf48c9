// The benchmarks by name. Each prints as it goes and returns what it measured; times are medians in seconds.
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
};

// Every op of a ResNet-18 of these sizes, beside the machine's own ceilings: what a copy and a matrix product reach.
nlohmann::ordered_json operations(const Settings&);
// Forward, backward and optimizer of a whole model, on one batch that stays.
nlohmann::ordered_json training_step(const Settings&);
// Log-mel spectrograms of 256 clips of 3 s.
nlohmann::ordered_json mel(const Settings&);

}  // namespace melgrad::bench
