// Divides one request for a stream's workspace into arrays of floats.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/device/stream.h"

namespace melgrad::kernel::convolution {

class Workspace {
 public:
  // Reserves `count` arrays of `elements` floats each, aligned to cache lines; returns the offset of the first.
  int64_t reserve(int64_t elements, int64_t count = 1) {
    const int64_t offset = total_;
    total_ += rounded(elements) * count;
    return offset;
  }
  // The elements from one of the arrays of a reservation to the next.
  static constexpr int64_t rounded(int64_t elements) { return (elements + 15) / 16 * 16; }

  float* allocate(Stream& stream) const {
    return static_cast<float*>(stream.workspace(static_cast<size_t>(total_) * sizeof(float)));
  }

 private:
  int64_t total_ = 0;
};

}  // namespace melgrad::kernel::convolution
