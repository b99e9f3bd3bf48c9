// Initial values of parameters. They come from the CPU's default generator, so one seed gives the same values for every
// device.
#pragma once

#include "framework/tensor.h"

namespace melgrad {

// Uniform on [-bound, bound).
Tensor uniform_init(const Shape& shape, float bound);
// Normal with standard deviation sqrt(2 / fan_out), where fan_out = out_channels * kernel_height * kernel_width (He et
// al. 2015), as in torchvision's ResNets. `shape` is the shape of a convolution weight.
Tensor kaiming_normal_init(const Shape& shape);
// PyTorch's default for the weights and biases of convolutions and linear layers: uniform on +-1 / sqrt(fan_in).
Tensor default_init(const Shape& shape, int64_t fan_in);

// While one exists, the functions above leave the values unset on this thread: for models whose parameters are then
// read from a file. The generator advances all the same.
class WithoutInitialValues {
 public:
  WithoutInitialValues();
  ~WithoutInitialValues();
  WithoutInitialValues(const WithoutInitialValues&) = delete;
  WithoutInitialValues& operator=(const WithoutInitialValues&) = delete;

 private:
  bool previous_;
};

}  // namespace melgrad
