// The table of chunks of several arrays, in the memory of a device.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/device/chunks.h"
#include "tests/support/arrays.h"

namespace melgrad::test {

struct DeviceChunks {
  std::vector<kernel::Chunk> all;
  DeviceVector<kernel::Chunk> copy;
  kernel::ChunkTable table;

  DeviceChunks(const std::vector<int64_t>& sizes, Stream& stream)
      : all(kernel::cut_into_chunks(sizes)), copy(stream, all), table{copy, static_cast<int64_t>(all.size())} {}
};

}  // namespace melgrad::test
