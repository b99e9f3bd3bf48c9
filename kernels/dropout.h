// Inverted dropout: y = x / (1 - probability) where an element is kept, 0 where it is dropped with `probability`.
// Element i is kept when uniform(lane i % 4 of random.draw(i / 4)) >= probability, so the same call on dy with the same
// RandomStream is the backward pass and no mask is stored. y may alias x. Needs 0 <= probability < 1.
#pragma once

#include "kernels/device/kernel.h"
#include "kernels/device/philox.h"

namespace melgrad::kernel {

KERNEL(dropout, const void* x, void* y, DType dtype, int64_t n, float probability, RandomStream random)

}  // namespace melgrad::kernel
