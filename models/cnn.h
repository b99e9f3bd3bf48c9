// A plain convolutional network: blocks of 3x3 convolution, ReLU and 2x2 max-pooling, then a classifier of two linear
// layers over the global average. Parameter names are those of a PyTorch Sequential `features` and `classifier`.
#pragma once

#include "framework/layers.h"

namespace melgrad {

struct CnnOptions {
  bool batch_norm;  // after each convolution
  int64_t classes;
  float dropout = 0;  // between the classifier's layers
};

// x [N, n_mels, frames, 1] with n_mels, frames >= 16 -> logits [N, classes].
class Cnn : public Module {
 public:
  explicit Cnn(const CnnOptions& options);
  std::string description() const override { return "Cnn"; }

 protected:
  Tensor forward(const Tensor& x) override;

 private:
  Sequential& features_;
  GlobalAvgPool2d& avgpool_;
  Sequential& classifier_;
};

}  // namespace melgrad
