// Philox4x32-10, the counter-based generator of Salmon et al. 2011 ("Parallel random numbers: as easy as 1, 2, 3"):
// a pure function of (key, counter). Therefore the CPU and the GPU, and an uninterrupted and a resumed run, draw the
// same numbers.
#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/device/host_device.h"

namespace melgrad {

struct Philox4 {
  uint32_t v[4];
};

MELGRAD_HOST_DEVICE inline Philox4 philox(uint64_t key, uint64_t counter_low, uint64_t counter_high) {
  uint32_t k0 = static_cast<uint32_t>(key), k1 = static_cast<uint32_t>(key >> 32);
  uint32_t c0 = static_cast<uint32_t>(counter_low), c1 = static_cast<uint32_t>(counter_low >> 32);
  uint32_t c2 = static_cast<uint32_t>(counter_high), c3 = static_cast<uint32_t>(counter_high >> 32);
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = uint64_t{0xD2511F53} * c0, p1 = uint64_t{0xCD9E8D57} * c2;
    c0 = static_cast<uint32_t>(p1 >> 32) ^ c1 ^ k0;
    c1 = static_cast<uint32_t>(p1);
    c2 = static_cast<uint32_t>(p0 >> 32) ^ c3 ^ k1;
    c3 = static_cast<uint32_t>(p0);
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
  return {{c0, c1, c2, c3}};
}

// Uniform on [0, 1), a multiple of 2^-24: exact in float32.
MELGRAD_HOST_DEVICE inline float uniform(uint32_t bits) { return static_cast<float>(bits >> 8) * 0x1p-24f; }

// Uniform on {0, ..., n - 1}; 0 < n <= 2^32. The bias is below n / 2^32.
MELGRAD_HOST_DEVICE inline int64_t uniform_integer(uint32_t bits, int64_t n) {
  return static_cast<int64_t>(static_cast<uint64_t>(bits) * static_cast<uint64_t>(n) >> 32);
}

// The source of a kernel's random numbers: draw(i) = philox(seed, i, (*step << 16) ^ stream). `step` lies in device
// memory, so that a captured CUDA graph draws new numbers at every replay.
struct RandomStream {
  uint64_t seed;
  const uint64_t* step;
  uint32_t stream;     // distinguishes the draws of one step
  uint64_t first = 0;  // place of the kernel's first example in the batch of the step, which may be computed in parts

  // The place of an example of the kernel in the batch of the step.
  MELGRAD_HOST_DEVICE uint64_t place(int64_t example) const { return first + static_cast<uint64_t>(example); }
  MELGRAD_HOST_DEVICE Philox4 draw(uint64_t index) const { return philox(seed, index, (*step << 16) ^ stream); }
};

}  // namespace melgrad
