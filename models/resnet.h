// Residual networks (He et al. 2016) for log-mel spectrograms, with the structure and parameter names of torchvision: a
// 7x7 stem with batch norm, ReLU and max-pooling, four stages of basic blocks, global average pooling, a linear layer.
#pragma once

#include <array>

#include "framework/layers.h"
#include "models/network.h"

namespace melgrad {

struct ResNetOptions {
  std::array<int64_t, 4> blocks;  // number in each stage
  int64_t width;                  // channels of the stem and the first stage; each later stage has twice as many
  int64_t classes;
  float dropout = 0;  // probability, before the linear layer
};

// x [N, n_mels, frames, 1] -> logits [N, classes].
class ResNet : public Network {
 public:
  explicit ResNet(const ResNetOptions& options);
  std::string description() const override { return "ResNet"; }

 protected:
  Tensor logits(const Tensor& x) override;

 private:
  Conv2d& conv1_;
  BatchNorm2d& bn1_;
  MaxPool2d& maxpool_;
  std::array<Sequential*, 4> stages_;
  GlobalAvgPool2d& avgpool_;
  Dropout& dropout_;
  Linear& fc_;
};

}  // namespace melgrad
