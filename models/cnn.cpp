#include "models/cnn.h"

namespace melgrad {

Cnn::Cnn(const CnnOptions& options)
    : features_(child<Sequential>("features")),
      avgpool_(child<GlobalAvgPool2d>("avgpool")),
      classifier_(child<Sequential>("classifier")) {
  const Conv2d::Options convolution{.kernel_size = 3, .padding = 1, .init = Conv2d::Init::kaiming_normal};
  int64_t channels = 1;
  for (const int64_t out_channels : {16, 32, 64, 128}) {
    features_.add<Conv2d>(channels, out_channels, convolution);
    if (options.batch_norm) features_.add<BatchNorm2d>(out_channels);
    features_.add<ReLU>().add<MaxPool2d>(2, 2, 0);
    channels = out_channels;
  }
  classifier_.add<Linear>(channels, channels).add<ReLU>().add<Dropout>(options.dropout);
  classifier_.add<Linear>(channels, options.classes);
}

Tensor Cnn::logits(const Tensor& x) { return classifier_(flatten(avgpool_(features_(x)))); }

}  // namespace melgrad
