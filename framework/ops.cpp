#include "framework/ops.h"

#include "framework/mixed_precision.h"
#include "framework/op_support.h"
#include "kernels/adaptive_avg_pool2d.h"
#include "kernels/arithmetic.h"
#include "kernels/band_statistics.h"
#include "kernels/cast.h"
#include "kernels/column_sum.h"
#include "kernels/conv2d.h"
#include "kernels/cross_entropy.h"
#include "kernels/dropout.h"
#include "kernels/linear.h"
#include "kernels/max_pool2d.h"
#include "kernels/relu.h"
#include "kernels/sum.h"

namespace melgrad {
namespace {

bool wants_gradient(const Tensor& x) { return x.defined() && x.requires_grad(); }
const float* bias_pointer(const Tensor& bias) { return bias.defined() ? bias.as<float>() : nullptr; }

template <class Kernel>
Tensor elementwise(const Kernel& kernel, const Tensor& a, const Tensor& b) {
  Tensor y = Tensor::empty_like(a);
  kernel(a.stream(), a.data(), b.data(), y.data(), a.dtype(), a.numel());
  return y;
}

Tensor negated(const Tensor& x) {
  Tensor y = Tensor::empty_like(x);
  kernel::negate(x.stream(), x.data(), y.data(), x.dtype(), x.numel());
  return y;
}

Tensor scaled_sum(const char* op, const Tensor& x, float factor) {
  Tensor y = Tensor::empty({}, DType::float32, x.device());
  kernel::sum_forward(x.stream(), x.data(), y.as<float>(), x.dtype(), x.numel(), factor);
  return y.record(op, {x}, [shape = x.shape(), dtype = x.dtype(), factor](const Tensor& dy) {
    Tensor dx = Tensor::empty(shape, dtype, dy.device());
    kernel::sum_backward(dy.stream(), dy.as<float>(), dx.data(), dtype, dx.numel(), factor);
    return std::vector{dx};
  });
}

Tensor bias_gradient(const Tensor& dy, const Tensor& bias) {
  Tensor db = Tensor::empty_like(bias);
  kernel::column_sum(dy.stream(), dy.data(), db.as<float>(), dy.dtype(), dy.numel() / bias.numel(), bias.numel());
  return db;
}

}  // namespace

Tensor add(const Tensor& a, const Tensor& b) {
  require_same_kind(a, b, "add");
  return elementwise(kernel::add, a, b).record("add", {a, b}, [](const Tensor& dy) { return std::vector{dy, dy}; });
}

Tensor sub(const Tensor& a, const Tensor& b) {
  require_same_kind(a, b, "sub");
  return elementwise(kernel::sub, a, b).record("sub", {a, b}, [need_db = wants_gradient(b)](const Tensor& dy) {
    return std::vector{dy, need_db ? negated(dy) : Tensor()};
  });
}

Tensor mul(const Tensor& a, const Tensor& b) {
  require_same_kind(a, b, "mul");
  return elementwise(kernel::mul, a, b)
      .record(
          "mul", {a, b},
          [a = a.detach(), b = b.detach(), need_da = wants_gradient(a), need_db = wants_gradient(b)](const Tensor& dy) {
            return std::vector{need_da ? elementwise(kernel::mul, dy, b) : Tensor(),
                               need_db ? elementwise(kernel::mul, dy, a) : Tensor()};
          });
}

Tensor sum(const Tensor& x) { return scaled_sum("sum", x, 1); }

Tensor mean(const Tensor& x) {
  MELGRAD_CHECK(x.numel() > 0, "mean needs at least one element, got shape {}", x.shape());
  return scaled_sum("mean", x, 1 / static_cast<float>(x.numel()));
}

Tensor relu(const Tensor& x) {
  Tensor y = Tensor::empty_like(x);
  kernel::relu_forward(x.stream(), x.data(), y.data(), x.dtype(), x.numel());
  return y.record("relu", {x}, [y = y.detach()](const Tensor& dy) {
    Tensor dx = Tensor::empty_like(dy);
    kernel::relu_backward(dy.stream(), y.data(), dy.data(), dx.data(), dy.dtype(), dy.numel());
    return std::vector{dx};
  });
}

Tensor cast(const Tensor& x, DType dtype) {
  if (x.dtype() == dtype) return x;
  MELGRAD_CHECK((x.dtype() == DType::float32 && is_activation_dtype(dtype)) ||
                    (dtype == DType::float32 && is_activation_dtype(x.dtype())),
                "cast converts between float32 and bfloat16 or float16, not {} to {}", name_of(x.dtype()),
                name_of(dtype));
  if (const Tensor copy = compute_copy(x); copy.defined() && copy.dtype() == dtype) {
    return copy.detach().record("cast", {x}, [](const Tensor& dy) { return std::vector{dy}; });
  }
  Tensor y = Tensor::empty(x.shape(), dtype, x.device());
  kernel::cast(x.stream(), x.data(), x.dtype(), y.data(), dtype, x.numel());
  return y.record("cast", {x}, [from = x.dtype()](const Tensor& dy) { return std::vector{cast(dy, from)}; });
}

Tensor reshape(const Tensor& x, const Shape& shape) {
  return x.view(shape).record("reshape", {x},
                              [before = x.shape()](const Tensor& dy) { return std::vector{dy.view(before)}; });
}

Tensor flatten(const Tensor& x) {
  MELGRAD_CHECK(x.shape().rank() >= 1 && x.shape()[0] > 0, "flatten needs a batch, got shape {}", x.shape());
  return reshape(x, {x.shape()[0], x.numel() / x.shape()[0]});
}

Tensor conv2d(const Tensor& x, const Tensor& w, const Tensor& bias, int64_t stride, int64_t padding) {
  const kernel::Conv2d conv = convolution_of({x, w, stride, padding}, "conv2d");
  if (bias.defined()) require_per_channel(bias, x, conv.out_channels, "conv2d");
  Tensor y = Tensor::empty(output_shape(conv), x.dtype(), x.device());
  kernel::conv2d_forward(x.stream(), x.data(), w.data(), bias_pointer(bias), y.data(), x.dtype(), conv);
  count_multiply_adds(conv.multiply_adds());
  return y.record(
      "conv2d", {x, w, bias},
      [x = x.detach(), w = w.detach(), bias, conv, need_dx = wants_gradient(x),
       need_dw = wants_gradient(w)](const Tensor& dy) {
        std::vector<Tensor> gradients(3);
        if (need_dw) {
          gradients[1] = Tensor::empty_like(w);
          kernel::conv2d_backward_filter(dy.stream(), x.data(), dy.data(), gradients[1].data(), dy.dtype(), conv);
        }
        if (wants_gradient(bias)) gradients[2] = bias_gradient(dy, bias);
        if (need_dx) {
          gradients[0] = Tensor::empty_like(x);
          kernel::conv2d_backward_data(dy.stream(), dy.data(), w.data(), gradients[0].data(), dy.dtype(), conv);
        }
        return gradients;
      });
}

Tensor linear(const Tensor& x, const Tensor& w, const Tensor& bias) {
  require_rank(x, 2, "linear");
  require_rank(w, 2, "linear");
  MELGRAD_CHECK(x.shape()[1] == w.shape()[1], "linear of {} with weights {}: features differ", x.shape(), w.shape());
  require_same_device(x, w, "linear");
  require_same_dtype(x, w, "linear");
  if (bias.defined()) require_per_channel(bias, x, w.shape()[0], "linear");
  const int64_t n = x.shape()[0], in = w.shape()[1], out = w.shape()[0];
  Tensor y = Tensor::empty({n, out}, x.dtype(), x.device());
  kernel::linear_forward(x.stream(), x.data(), w.data(), bias_pointer(bias), y.data(), x.dtype(), n, in, out);
  count_multiply_adds(n * in * out);
  return y.record(
      "linear", {x, w, bias},
      [x = x.detach(), w = w.detach(), bias, n, in, out, need_dx = wants_gradient(x),
       need_dw = wants_gradient(w)](const Tensor& dy) {
        std::vector<Tensor> gradients(3);
        if (need_dw) {
          gradients[1] = Tensor::empty_like(w);
          kernel::linear_backward_weight(dy.stream(), x.data(), dy.data(), gradients[1].data(), dy.dtype(), n, in, out);
        }
        if (wants_gradient(bias)) gradients[2] = bias_gradient(dy, bias);
        if (need_dx) {
          gradients[0] = Tensor::empty_like(x);
          kernel::linear_backward_data(dy.stream(), dy.data(), w.data(), gradients[0].data(), dy.dtype(), n, in, out);
        }
        return gradients;
      });
}

// The kernels of linear() compute all products that are needed: y = x w^T, dx = dy w and dw = dy^T x. Profilers and
// errors of the kernels therefore show the names of the linear kernels.
Tensor matmul(const Tensor& a, const Tensor& b) {
  require_rank(a, 2, "matmul");
  require_rank(b, 2, "matmul");
  MELGRAD_CHECK(a.shape()[1] == b.shape()[0],
                "matmul of {} and {}: the columns of the first and the rows of the second must be equal", a.shape(),
                b.shape());
  require_same_device(a, b, "matmul");
  require_same_dtype(a, b, "matmul");
  const int64_t rows = a.shape()[0], inner = a.shape()[1], columns = b.shape()[1];
  Tensor y = Tensor::empty({rows, columns}, a.dtype(), a.device());
  kernel::linear_backward_data(a.stream(), a.data(), b.data(), y.data(), a.dtype(), rows, columns, inner);
  count_multiply_adds(rows * columns * inner);
  return y.record("matmul", {a, b},
                  [a = a.detach(), b = b.detach(), rows, columns, inner, need_da = wants_gradient(a),
                   need_db = wants_gradient(b)](const Tensor& dy) {
                    std::vector<Tensor> gradients(2);
                    if (need_da) {  // dy b^T
                      gradients[0] = Tensor::empty_like(a);
                      kernel::linear_forward(dy.stream(), dy.data(), b.data(), nullptr, gradients[0].data(), dy.dtype(),
                                             rows, columns, inner);
                    }
                    if (need_db) {  // a^T dy
                      gradients[1] = Tensor::empty_like(b);
                      kernel::linear_backward_weight(dy.stream(), dy.data(), a.data(), gradients[1].data(), dy.dtype(),
                                                     rows, columns, inner);
                    }
                    return gradients;
                  });
}

Tensor max_pool2d(const Tensor& x, int64_t kernel_size, int64_t stride, int64_t padding) {
  const kernel::Pool2d pool = pool_of(x, {kernel_size, stride, padding}, "max_pool2d");
  Tensor y = Tensor::empty({pool.batch, pool.out_height(), pool.out_width(), pool.channels}, x.dtype(), x.device());
  Tensor taken = Tensor::empty(y.shape(), DType::uint8, x.device());
  kernel::max_pool2d_forward(x.stream(), x.data(), y.data(), taken.as<uint8_t>(), x.dtype(), pool);
  return y.record("max_pool2d", {x}, [pool, taken, shape = x.shape()](const Tensor& dy) {
    Tensor dx = Tensor::empty(shape, dy.dtype(), dy.device());
    kernel::max_pool2d_backward(dy.stream(), dy.data(), taken.as<uint8_t>(), dx.data(), dy.dtype(), pool);
    return std::vector{dx};
  });
}

Tensor adaptive_avg_pool2d(const Tensor& x, int64_t out_height, int64_t out_width) {
  require_rank(x, 4, "adaptive_avg_pool2d");
  MELGRAD_CHECK(x.numel() > 0 && out_height >= 1 && out_width >= 1,
                "adaptive_avg_pool2d needs input and output elements, got {} to {} x {}", x.shape(), out_height,
                out_width);
  const kernel::AdaptivePool2d pool{.batch = x.shape()[0],
                                    .height = x.shape()[1],
                                    .width = x.shape()[2],
                                    .channels = x.shape()[3],
                                    .out_height = out_height,
                                    .out_width = out_width};
  Tensor y = Tensor::empty({pool.batch, out_height, out_width, pool.channels}, x.dtype(), x.device());
  kernel::adaptive_avg_pool2d_forward(x.stream(), x.data(), y.data(), x.dtype(), pool);
  return y.record("adaptive_avg_pool2d", {x}, [pool, shape = x.shape()](const Tensor& dy) {
    Tensor dx = Tensor::empty(shape, dy.dtype(), dy.device());
    kernel::adaptive_avg_pool2d_backward(dy.stream(), dy.data(), dx.data(), dy.dtype(), pool);
    return std::vector{dx};
  });
}

Tensor dropout(const Tensor& x, float probability, RandomStream random) {
  MELGRAD_CHECK(probability >= 0 && probability < 1, "dropout probability {} is not in [0, 1)", probability);
  if (x.shape().rank() > 0 && x.shape()[0] > 0) random.first *= static_cast<uint64_t>(x.numel() / x.shape()[0]);
  const auto mask = [probability, random](const Tensor& values) {
    Tensor result = Tensor::empty_like(values);
    kernel::dropout(values.stream(), values.data(), result.data(), values.dtype(), values.numel(), probability, random);
    return result;
  };
  return mask(x).record("dropout", {x}, [mask](const Tensor& dy) { return std::vector{mask(dy)}; });
}

Tensor cross_entropy(const Tensor& logits, const Tensor& targets, float label_smoothing) {
  require_rank(logits, 2, "cross_entropy");
  MELGRAD_CHECK(targets.shape() == logits.shape(), "cross_entropy: logits {} and targets {} must have the same shape",
                logits.shape(), targets.shape());
  MELGRAD_CHECK(logits.numel() > 0, "cross_entropy needs at least one logit, got shape {}", logits.shape());
  require_same_device(logits, targets, "cross_entropy");
  Tensor loss = Tensor::empty({}, DType::float32, logits.device());
  Tensor dlogits = Tensor::empty_like(logits);
  kernel::cross_entropy(logits.stream(), logits.data(), targets.as<float>(), loss.as<float>(), dlogits.data(),
                        logits.dtype(), logits.shape()[0], logits.shape()[1], label_smoothing);
  return loss.record("cross_entropy", {logits}, [dlogits](const Tensor& dy) {
    kernel::scale(dy.stream(), dlogits.data(), dy.as<float>(), dlogits.data(), dlogits.dtype(), dlogits.numel());
    return std::vector{dlogits};
  });
}

Tensor softmax(const Tensor& logits) {
  require_rank(logits, 2, "softmax");
  Tensor probabilities = Tensor::empty(logits.shape(), DType::float32, logits.device());
  kernel::softmax(logits.stream(), logits.data(), probabilities.as<float>(), logits.dtype(), logits.shape()[0],
                  logits.shape()[1]);
  return probabilities;
}

Tensor band_statistics(const Tensor& x, int64_t bands) {
  require_rank(x, 4, "band_statistics");
  MELGRAD_CHECK(x.dtype() == DType::float32 && x.shape()[3] == 1 && x.numel() > 0 && bands >= 1,
                "band_statistics needs float32 [N, n_mels, frames, 1] and a band, got {} {} and {} bands",
                name_of(x.dtype()), x.shape(), bands);
  const kernel::BandStatistics size{
      .images = x.shape()[0], .n_mels = x.shape()[1], .frames = x.shape()[2], .bands = bands};
  Tensor y = Tensor::empty({size.images, kernel::BandStatistics::count * bands}, DType::float32, x.device());
  kernel::band_statistics(x.stream(), x.as<float>(), y.as<float>(), size);
  return y;
}

}  // namespace melgrad
