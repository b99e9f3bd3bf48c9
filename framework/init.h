// Initial values of parameters, drawn from the default generator of the CPU: the same for a seed on every device.
#pragma once

#include "framework/tensor.h"

namespace melgrad {

// Uniform on [-bound, bound).
Tensor uniform_init(const Shape& shape, float bound);
// Normal with standard deviation sqrt(2 / fan_out), fan_out = out_channels * kernel area: He et al. 2015, as
// torchvision initialises ResNets. `shape` is a convolution weight's.
Tensor kaiming_normal_init(const Shape& shape);
// PyTorch's default for convolutions, linear layers and their biases: uniform within 1 / sqrt(fan_in).
Tensor default_init(const Shape& shape, int64_t fan_in);

}  // namespace melgrad
