// Convolutions that no model contains: one pixel, odd sizes, kernels that are not square, wide padding.
#pragma once

#include "kernels/conv2d.h"

namespace melgrad::test {

// batch, height, width, in_channels, out_channels, kernel_height, kernel_width, stride, padding
inline constexpr kernel::Conv2d unusual_convolutions[] = {
    {1, 1, 1, 1, 1, 1, 1, 1, 0},      {1, 7, 7, 1, 1, 7, 7, 1, 0},    {2, 31, 33, 1, 16, 7, 7, 2, 3},
    {3, 31, 33, 1, 16, 3, 3, 1, 1},   {5, 13, 17, 3, 5, 3, 3, 1, 1},  {1, 13, 17, 16, 16, 3, 3, 1, 1},
    {33, 5, 7, 16, 32, 3, 3, 2, 1},   {31, 4, 9, 33, 31, 3, 3, 1, 2}, {3, 11, 13, 16, 32, 1, 1, 2, 0},
    {7, 9, 5, 64, 64, 3, 3, 2, 0},    {2, 11, 13, 7, 19, 7, 7, 1, 3}, {2, 10, 12, 5, 8, 3, 7, 2, 1},
    {17, 3, 3, 128, 128, 3, 3, 1, 1}, {3, 16, 18, 1, 8, 7, 7, 2, 3},  {2, 9, 12, 1, 5, 4, 3, 2, 2},
    {1, 5, 6, 1, 3, 5, 5, 2, 0},      {1, 1, 2, 1, 1, 3, 3, 2, 1},
};

}  // namespace melgrad::test
