#include "kernels/conv2d_batch_norm.h"

#include "kernels/batch_norm_factors.h"
#include "kernels/convolution/convolve.h"

namespace melgrad::kernel::cpu {

void conv2d_batch_norm_forward(Stream& stream, const void* x, const void* w, BatchNormEpilogue epilogue,
                               BatchNormAffine affine, RunningStatistics running, void* y, DType dtype, Conv2d conv,
                               float epsilon) {
  convolution::require_valid(conv, dtype, "conv2d_batch_norm_forward");
  const int64_t channels = conv.out_channels;
  const std::vector<float> scale =
      scales(affine.gamma, inverse_std_of(running.var, channels, epsilon).data(), channels);
  std::vector<float> shift(scale.size());
  for (size_t c = 0; c < shift.size(); ++c) shift[c] = affine.beta[c] - running.mean[c] * scale[c];
  convolution::forward(stream, x, w,
                       {.scale = scale.data(),
                        .shift = shift.data(),
                        .residual = static_cast<const float*>(epilogue.residual),
                        .relu = epilogue.relu},
                       y, conv);
}

}  // namespace melgrad::kernel::cpu
