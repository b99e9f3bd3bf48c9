// Convolutions by direct sums, for any filter, stride and padding. A row of output pixels is a matrix product: in an
// NHWC image with its padding, the input values that a row of a filter covers are contiguous, and from one output pixel
// to the next they move by stride x channels. Nothing but the padding has to be copied.
#pragma once

#include "kernels/convolution/level.h"
#include "kernels/device/convolution.h"

namespace melgrad::kernel::convolution {

// Shapes as in conv2d.h. The results of an image do not depend on the others of the batch.
void direct_forward(Stream&, const float* x, const float* w, const Epilogue&, float* y, const Conv2d&);
void direct_backward_data(Stream&, const float* dy, const float* w, float* dx, const Conv2d&);
void direct_backward_filter(Stream&, const float* x, const float* dy, float* dw, const Conv2d&);

}  // namespace melgrad::kernel::convolution
