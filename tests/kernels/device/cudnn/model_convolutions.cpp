// Replaces the convolution of the CPU by one that records its shape and computes nothing. A program with this file
// cannot compute convolutions.
#include "tests/kernels/device/cudnn/model_convolutions.h"

#include "framework/tensor.h"
#include "models/models.h"

namespace melgrad {
namespace {

std::set<kernel::Conv2d>* seen = nullptr;

}

namespace kernel::cpu {

void conv2d_forward(Stream& stream, const void*, const void*, const float*, void* y, DType dtype, Conv2d conv) {
  seen->insert(conv);
  const int64_t elements = conv.batch * conv.out_height() * conv.out_width() * conv.out_channels;
  stream.zero(y, static_cast<size_t>(elements) * size_of(dtype));
}
void conv2d_backward_data(Stream&, const void*, const void*, void*, DType, Conv2d) { fail("no model runs backward"); }
void conv2d_backward_filter(Stream&, const void*, const void*, void*, DType, Conv2d) { fail("no model runs backward"); }

}  // namespace kernel::cpu

namespace test {

std::set<kernel::Conv2d> model_convolutions(int64_t n_mels, int64_t frames) {
  std::set<kernel::Conv2d> convolutions;
  seen = &convolutions;
  const NoGrad forward_only;
  for (const std::string& name : model_names()) {
    const auto model = make_model(name, 10);  // in training mode, where a convolution is a step of its own
    (*model)(Tensor::zeros({1, n_mels, frames, 1}));
  }
  seen = nullptr;
  return convolutions;
}

}  // namespace test
}  // namespace melgrad
