#include "models/resnet.h"

namespace melgrad {
namespace {

Conv2d::Options convolution(int64_t kernel_size, int64_t stride) {
  return {.kernel_size = kernel_size,
          .stride = stride,
          .padding = kernel_size / 2,
          .bias = false,
          .init = Conv2d::Init::kaiming_normal};
}

// Converts the input of a block to the shape of its output.
class Downsample : public Sequential {
 public:
  Downsample(int64_t in_channels, int64_t out_channels, int64_t stride)
      : conv_(child<Conv2d>("0", in_channels, out_channels, convolution(1, stride))),
        bn_(child<BatchNorm2d>("1", out_channels)) {}

  // relu(bn(conv(hidden)) + (*this)(x)) in fewer passes over memory. A ForwardObserver sees the modules run one by one.
  Tensor add_to(BatchNorm2d& bn, Conv2d& conv, const Tensor& hidden, const Tensor& x) {
    if (bn.folds_into(conv)) return bn.add_relu(conv, hidden, (*this)(x));
    const Tensor y = conv(hidden);
    return is_observed() ? bn.add_relu(y, (*this)(x)) : bn.add_relu(y, bn_, conv_(x));
  }

 private:
  Conv2d& conv_;
  BatchNorm2d& bn_;
};

// Two 3x3 convolutions and a shortcut around them.
class BasicBlock : public Module {
 public:
  BasicBlock(int64_t in_channels, int64_t out_channels, int64_t stride)
      : conv1_(child<Conv2d>("conv1", in_channels, out_channels, convolution(3, stride))),
        bn1_(child<BatchNorm2d>("bn1", out_channels)),
        conv2_(child<Conv2d>("conv2", out_channels, out_channels, convolution(3, 1))),
        bn2_(child<BatchNorm2d>("bn2", out_channels)) {
    if (stride != 1 || in_channels != out_channels) {
      downsample_ = &child<Downsample>("downsample", in_channels, out_channels, stride);
    }
  }
  std::string description() const override { return "BasicBlock"; }

 protected:
  Tensor forward(const Tensor& x) override {
    const Tensor hidden = bn1_.relu(conv1_, x);
    return downsample_ ? downsample_->add_to(bn2_, conv2_, hidden, x) : bn2_.add_relu(conv2_, hidden, x);
  }

 private:
  Conv2d& conv1_;
  BatchNorm2d& bn1_;
  Conv2d& conv2_;
  BatchNorm2d& bn2_;
  Downsample* downsample_ = nullptr;
};

class Stage : public Sequential {
 public:
  Stage(int64_t blocks, int64_t in_channels, int64_t out_channels, int64_t stride) {
    add<BasicBlock>(in_channels, out_channels, stride);
    for (int64_t i = 1; i < blocks; ++i) add<BasicBlock>(out_channels, out_channels, 1);
  }
};

}  // namespace

ResNet::ResNet(const ResNetOptions& options)
    : conv1_(child<Conv2d>("conv1", 1, options.width, convolution(7, 2))),
      bn1_(child<BatchNorm2d>("bn1", options.width)),
      maxpool_(child<MaxPool2d>("maxpool", 3, 2, 1)),
      stages_{&child<Stage>("layer1", options.blocks[0], options.width, options.width, 1),
              &child<Stage>("layer2", options.blocks[1], options.width, 2 * options.width, 2),
              &child<Stage>("layer3", options.blocks[2], 2 * options.width, 4 * options.width, 2),
              &child<Stage>("layer4", options.blocks[3], 4 * options.width, 8 * options.width, 2)},
      avgpool_(child<GlobalAvgPool2d>("avgpool")),
      dropout_(child<Dropout>("dropout", options.dropout)),
      fc_(child<Linear>("fc", 8 * options.width, options.classes)) {}

Tensor ResNet::logits(const Tensor& x) {
  Tensor y = bn1_.relu_pool(conv1_(x), maxpool_);
  for (Sequential* stage : stages_) y = (*stage)(y);
  return fc_(dropout_(flatten(avgpool_(y))));
}

}  // namespace melgrad
