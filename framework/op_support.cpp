#include "framework/op_support.h"

namespace melgrad {
namespace {

thread_local int64_t multiply_adds_so_far = 0;

}  // namespace

int64_t multiply_adds() { return multiply_adds_so_far; }
void count_multiply_adds(int64_t n) { multiply_adds_so_far += n; }

void require_rank(const Tensor& x, size_t rank, const char* op) {
  MELGRAD_CHECK(x.shape().rank() == rank, "{} needs a tensor of {} dimensions, got shape {}", op, rank, x.shape());
}

void require_same_device(const Tensor& x, const Tensor& other, const char* op) {
  MELGRAD_CHECK(x.device() == other.device(), "{}: all tensors must be on one device, got {} and {}", op,
                name_of(x.device()), name_of(other.device()));
}

void require_same_dtype(const Tensor& x, const Tensor& w, const char* op) {
  MELGRAD_CHECK(x.dtype() == w.dtype(), "{}: dtypes must be equal, got {} and {}", op, name_of(x.dtype()),
                name_of(w.dtype()));
}

void require_same_kind(const Tensor& a, const Tensor& b, const char* op) {
  MELGRAD_CHECK(a.shape() == b.shape() && a.dtype() == b.dtype(),
                "{}: {} {} and {} {} must be equal in shape and dtype", op, name_of(a.dtype()), a.shape(),
                name_of(b.dtype()), b.shape());
  require_same_device(a, b, op);
}

void require_per_channel(const Tensor& vector, const Tensor& x, int64_t channels, const char* op) {
  MELGRAD_CHECK(vector.shape() == Shape({channels}), "{}: {} channels need a vector of shape [{}], got {}", op,
                channels, channels, vector.shape());
  require_same_device(x, vector, op);
}

kernel::Conv2d convolution_of(const Conv2dInput& in, const char* op) {
  const auto& [x, w, stride, padding] = in;
  require_rank(x, 4, op);
  require_rank(w, 4, op);
  MELGRAD_CHECK(x.shape()[3] == w.shape()[3], "{} of {} with weights {}: channels differ", op, x.shape(), w.shape());
  MELGRAD_CHECK(stride >= 1 && padding >= 0, "{} needs stride >= 1 and padding >= 0, got stride {}, padding {}", op,
                stride, padding);
  require_same_device(x, w, op);
  require_same_dtype(x, w, op);
  const kernel::Conv2d conv{.batch = x.shape()[0],
                            .height = x.shape()[1],
                            .width = x.shape()[2],
                            .in_channels = x.shape()[3],
                            .out_channels = w.shape()[0],
                            .kernel_height = w.shape()[1],
                            .kernel_width = w.shape()[2],
                            .stride = stride,
                            .padding = padding,
                            .independent_images = NoGrad::active()};
  MELGRAD_CHECK(conv.height + 2 * padding >= conv.kernel_height && conv.width + 2 * padding >= conv.kernel_width,
                "{} of {} with weights {}: the input is smaller than the kernel", op, x.shape(), w.shape());
  return conv;
}

Shape output_shape(const kernel::Conv2d& conv) {
  return {conv.batch, conv.out_height(), conv.out_width(), conv.out_channels};
}

kernel::Pool2d pool_of(const Tensor& x, Pool2dOptions window, const char* op) {
  require_rank(x, 4, op);
  const kernel::Pool2d pool{.batch = x.shape()[0],
                            .height = x.shape()[1],
                            .width = x.shape()[2],
                            .channels = x.shape()[3],
                            .kernel_size = window.kernel_size,
                            .stride = window.stride,
                            .padding = window.padding};
  kernel::require_valid(pool);  // before the output size is computed
  return pool;
}

}  // namespace melgrad
