// Convolutions of our own: Winograd's algorithm where it applies, direct sums elsewhere. The choice depends on the
// shape alone, not on the batch or on timing, so a seed gives the same bits in every run. Results are also
// bit-identical for any number of threads: each sum is formed by one thread or from parts that do not depend on the
// threads.
#include "kernels/conv2d.h"

#include "kernels/convolution/convolve.h"

namespace melgrad::kernel::cpu {
namespace {

const float* floats(const void* data) { return static_cast<const float*>(data); }
float* floats(void* data) { return static_cast<float*>(data); }

}  // namespace

void conv2d_forward(Stream& stream, const void* x, const void* w, const float* bias, void* y, DType dtype,
                    Conv2d conv) {
  convolution::require_valid(conv, dtype, "conv2d_forward");
  convolution::forward(stream, x, w, {.shift = bias}, y, conv);
}

void conv2d_backward_data(Stream& stream, const void* dy, const void* w, void* dx, DType dtype, Conv2d conv) {
  convolution::require_valid(conv, dtype, "conv2d_backward_data");
  const auto convolve =
      convolution::winograd_applies(conv) ? convolution::winograd_backward_data : convolution::direct_backward_data;
  convolve(stream, floats(dy), floats(w), floats(dx), conv);
}

void conv2d_backward_filter(Stream& stream, const void* x, const void* dy, void* dw, DType dtype, Conv2d conv) {
  convolution::require_valid(conv, dtype, "conv2d_backward_filter");
  const auto convolve =
      convolution::winograd_applies(conv) ? convolution::winograd_backward_filter : convolution::direct_backward_filter;
  convolve(stream, floats(x), floats(dy), floats(dw), conv);
}

}  // namespace melgrad::kernel::cpu
