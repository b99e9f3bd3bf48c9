// Recordings in the memory of a device.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "kernels/waveform_crop.h"
#include "tests/support/arrays.h"

namespace melgrad::test {

class Recordings {
 public:
  Recordings(Stream& stream, std::span<const std::vector<int16_t>> samples, const std::vector<float>& levels)
      : Recordings(stream, table(stream, samples, levels)) {}

  const kernel::Recording* data() const { return recordings_; }

 private:
  struct Table {
    std::vector<std::unique_ptr<DeviceVector<int16_t>>> samples;
    std::vector<kernel::Recording> recordings;
  };
  static Table table(Stream& stream, std::span<const std::vector<int16_t>> samples, const std::vector<float>& levels) {
    Table result;
    for (size_t i = 0; i < samples.size(); ++i) {
      result.samples.push_back(std::make_unique<DeviceVector<int16_t>>(stream, samples[i]));
      result.recordings.push_back({.samples = *result.samples.back(),
                                   .length = static_cast<int64_t>(samples[i].size()),
                                   .scale = 0x1p-15f,
                                   .level = levels[i]});
    }
    return result;
  }
  Recordings(Stream& stream, Table table) : table_(std::move(table)), recordings_(stream, table_.recordings) {}

  Table table_;
  DeviceVector<kernel::Recording> recordings_;
};

}  // namespace melgrad::test
