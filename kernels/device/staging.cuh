// Asynchronous uploads of small host arrays. The bytes are copied to pinned memory first, so the source may be changed
// at once. The pinned memory has two halves that are used in turn; a half is reused only after the device has read it.
#pragma once

#include <cstring>

#include "kernels/device/cuda_owners.cuh"

namespace melgrad {

class Staging {
 public:
  void upload(void* to, const void* from, size_t bytes, cudaStream_t stream) {
    auto* target = static_cast<char*>(to);
    const auto* source = static_cast<const char*>(from);
    while (bytes > 0) {
      if (used_ == half_bytes) turn(stream);
      const size_t piece = std::min(bytes, half_bytes - used_);
      char* const pinned = memory_.get() + half_ * half_bytes + used_;
      std::memcpy(pinned, source, piece);
      cuda_check(cudaMemcpyAsync(target, pinned, piece, cudaMemcpyDefault, stream), "cudaMemcpyAsync");
      used_ = std::min(half_bytes, ceil_divide<size_t>(used_ + piece, alignment) * alignment);
      target += piece;
      source += piece;
      bytes -= piece;
    }
  }

 private:
  static constexpr size_t half_bytes = size_t{4} << 20, alignment = 64;

  void turn(cudaStream_t stream) {
    cuda_check(cudaEventRecord(read_[half_].get(), stream), "cudaEventRecord");
    half_ = 1 - half_;
    used_ = 0;
    cuda_check(cudaEventSynchronize(read_[half_].get()),
               "cudaEventSynchronize");  // returns at once before the first record
  }

  PinnedMemory memory_ = make_pinned_memory(2 * half_bytes);
  OwnedEvent read_[2] = {make_event(cudaEventDisableTiming), make_event(cudaEventDisableTiming)};
  int half_ = 0;
  size_t used_ = 0;
};

}  // namespace melgrad
