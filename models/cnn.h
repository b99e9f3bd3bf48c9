// A plain convolutional network: four blocks of 3x3 convolution, ReLU and 2x2 max-pooling, then a global average and a
// classifier of two linear layers. The parameter names are those of the PyTorch modules Sequential `features` and
// `classifier`.
#pragma once

#include "framework/layers.h"
#include "models/network.h"

namespace melgrad {

struct CnnOptions {
  bool batch_norm;  // after each convolution
  int64_t classes;
  float dropout = 0;  // probability, between the two linear layers
};

// x [N, n_mels, frames, 1] with n_mels, frames >= 16 -> logits [N, classes].
class Cnn : public Network {
 public:
  explicit Cnn(const CnnOptions& options);
  std::string description() const override { return "Cnn"; }

 protected:
  Tensor logits(const Tensor& x) override;

 private:
  Sequential& features_;
  GlobalAvgPool2d& avgpool_;
  Sequential& classifier_;
};

}  // namespace melgrad
