// Convolutions with 3x3 filters, stride 1 and padding 1 by Winograd's F(4x4, 3x3): 36 products compute 16 output
// pixels, which takes a direct sum 144. The transforms before and after cost additions; they pay from about 16 channels
// on.
//
// Two layouts of tiles are used. In training the images of a batch lie side by side with one column of zeros between
// them, and a tile may contain pixels of two images, so that few tiles are partly empty (an image of 4x5 pixels needs
// 1.5 tiles instead of 2). The rounding of a pixel then depends on the place of its image in the batch. If
// conv.independent_images is set, no tile contains pixels of two images, and the results of an image have the same bits
// in any batch.
#pragma once

#include "kernels/convolution/level.h"
#include "kernels/device/convolution.h"

namespace melgrad::kernel::convolution {

// False after set_exact_convolution(true) (exact.h), and for other filters and fewer channels.
bool winograd_applies(const Conv2d&);

// Shapes as in conv2d.h. Intermediate arrays stay below 32 MiB and one transformed filter bank per thread.
void winograd_forward(Stream&, const float* x, const float* w, const Epilogue&, float* y, const Conv2d&);
void winograd_backward_data(Stream&, const float* dy, const float* w, float* dx, const Conv2d&);
void winograd_backward_filter(Stream&, const float* x, const float* dy, float* dw, const Conv2d&);

}  // namespace melgrad::kernel::convolution
