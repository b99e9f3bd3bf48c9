// Warp operations: the 32 lanes of a warp read each other's registers. The mask of a call names the lanes that take
// part; all of them must make the same call, and only their values may be read.
#pragma once

#include <fmt/format.h>

#include <cstring>
#include <type_traits>

#include "kernels/device/emulated/block.h"

namespace emulated_cuda {

template <class T>
T shuffle(uint32_t mask, T value, uint32_t source, const std::source_location& where) {
  static_assert(sizeof(T) <= sizeof(uint64_t) && std::is_arithmetic_v<T>, "CUDA shuffles numbers of up to 8 bytes");
  Block& block = current_block();
  uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof value);
  const LaneValues& received = block.exchange(WarpOperation::shuffle, mask, bits, where);
  if (!(mask >> source & 1)) {
    block.fault(where, fmt::format("shuffle reads lane {}, which is not in the mask {:#010x}", source, mask));
  }
  std::memcpy(&value, &received[source], sizeof value);
  return value;
}

inline uint32_t vote(uint32_t mask, bool predicate, const std::source_location& where) {
  const LaneValues& received = current_block().exchange(WarpOperation::vote, mask, predicate, where);
  uint32_t ballot = 0;
  for (uint32_t lane = 0; lane < lanes; ++lane) {
    if (mask >> lane & 1) ballot |= static_cast<uint32_t>(received[lane]) << lane;
  }
  return ballot;
}

}  // namespace emulated_cuda

// `width`, a power of two, divides the warp into segments. If the source is outside the caller's segment, the call
// returns the caller's own value.

template <class T>
T __shfl_sync(unsigned mask, T value, int source, int width = 32,
              std::source_location where = std::source_location::current()) {
  const int segment = static_cast<int>(emulated_cuda::current_block().lane()) / width * width;
  return emulated_cuda::shuffle(mask, value, static_cast<uint32_t>(segment + (source & (width - 1))), where);
}

template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned distance, int width = 32,
                 std::source_location where = std::source_location::current()) {
  const unsigned lane = emulated_cuda::current_block().lane();
  const bool inside = lane % static_cast<unsigned>(width) >= distance;
  return emulated_cuda::shuffle(mask, value, inside ? lane - distance : lane, where);
}

template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned distance, int width = 32,
                   std::source_location where = std::source_location::current()) {
  const unsigned lane = emulated_cuda::current_block().lane();
  const bool inside = lane % static_cast<unsigned>(width) + distance < static_cast<unsigned>(width);
  return emulated_cuda::shuffle(mask, value, inside ? lane + distance : lane, where);
}

template <class T>
T __shfl_xor_sync(unsigned mask, T value, int lane_mask, int width = 32,
                  std::source_location where = std::source_location::current()) {
  const unsigned lane = emulated_cuda::current_block().lane();
  const unsigned source = lane ^ static_cast<unsigned>(lane_mask);
  const unsigned segment_end = (lane / static_cast<unsigned>(width) + 1) * static_cast<unsigned>(width);
  return emulated_cuda::shuffle(mask, value, source < segment_end ? source : lane, where);
}

inline unsigned __ballot_sync(unsigned mask, int predicate,
                              std::source_location where = std::source_location::current()) {
  return emulated_cuda::vote(mask, predicate != 0, where);
}

inline int __any_sync(unsigned mask, int predicate, std::source_location where = std::source_location::current()) {
  return emulated_cuda::vote(mask, predicate != 0, where) != 0;
}

inline int __all_sync(unsigned mask, int predicate, std::source_location where = std::source_location::current()) {
  return emulated_cuda::vote(mask, predicate != 0, where) == mask;
}

inline void __syncwarp(unsigned mask = 0xffffffff, std::source_location where = std::source_location::current()) {
  emulated_cuda::current_block().exchange(emulated_cuda::WarpOperation::synchronize, mask, 0, where);
}
