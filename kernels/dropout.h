// Inverted dropout (Srivastava et al. 2014): each element of x is dropped with `probability`. y = x / (1 - probability)
// for kept elements, 0 for dropped ones. Element i is kept if uniform(random.draw(e / 4).v[e % 4]) >= probability with
// e = random.place(i): here `first` counts elements. No mask is stored: the backward pass is the same call on dy with
// the same RandomStream. x, y: n elements of `dtype`; y may alias x. Throws Error unless 0 <= probability < 1.
#pragma once

#include "kernels/device/kernel.h"
#include "kernels/device/philox.h"

namespace melgrad::kernel {

KERNEL(dropout, const void* x, void* y, DType dtype, int64_t n, float probability, RandomStream random)

}  // namespace melgrad::kernel
