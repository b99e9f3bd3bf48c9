#include "framework/ops.h"

#include "framework/mixed_precision.h"
#include "kernels/adaptive_avg_pool2d.h"
#include "kernels/arithmetic.h"
#include "kernels/batch_norm.h"
#include "kernels/batch_norm_max_pool2d.h"
#include "kernels/batch_norm_sum.h"
#include "kernels/cast.h"
#include "kernels/column_sum.h"
#include "kernels/conv2d.h"
#include "kernels/conv2d_batch_norm.h"
#include "kernels/cross_entropy.h"
#include "kernels/dropout.h"
#include "kernels/linear.h"
#include "kernels/max_pool2d.h"
#include "kernels/relu.h"
#include "kernels/sum.h"

namespace melgrad {
namespace {

thread_local int64_t multiply_adds_so_far = 0;

bool wants_gradient(const Tensor& x) { return x.defined() && x.requires_grad(); }
const float* bias_pointer(const Tensor& bias) { return bias.defined() ? bias.as<float>() : nullptr; }

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

// Throws Error unless `vector`, a weight or a statistic, holds one value per channel of x.
void require_per_channel(const Tensor& vector, const Tensor& x, int64_t channels, const char* op) {
  MELGRAD_CHECK(vector.shape() == Shape({channels}), "{}: {} channels need a vector of shape [{}], got {}", op,
                channels, channels, vector.shape());
  require_same_device(x, vector, op);
}

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

int64_t multiply_adds() { return multiply_adds_so_far; }

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

namespace {

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

}  // namespace

Tensor conv2d(const Tensor& x, const Tensor& w, const Tensor& bias, int64_t stride, int64_t padding) {
  const kernel::Conv2d conv = convolution_of({x, w, stride, padding}, "conv2d");
  if (bias.defined()) require_per_channel(bias, x, conv.out_channels, "conv2d");
  Tensor y = Tensor::empty(output_shape(conv), x.dtype(), x.device());
  kernel::conv2d_forward(x.stream(), x.data(), w.data(), bias_pointer(bias), y.data(), x.dtype(), conv);
  multiply_adds_so_far += conv.multiply_adds();
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
  multiply_adds_so_far += n * in * out;
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
  multiply_adds_so_far += rows * columns * inner;
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

namespace {

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

}  // namespace

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

namespace {

// A batch norm and what follows it, which the kernels compute in the same passes.
struct BatchNormOp {
  const char* name;
  Tensor x, residual, gamma, beta;  // residual: undefined for none
  bool relu;
  BatchNormOptions options;

  kernel::BatchNormSize size() const {
    return {.dtype = x.dtype(), .rows = x.numel() / gamma.numel(), .channels = gamma.numel()};
  }
  kernel::BatchNormAffine affine() const { return {.gamma = gamma.as<float>(), .beta = beta.as<float>()}; }
  kernel::BatchNormEpilogue epilogue() const {
    return {.residual = residual.defined() ? residual.data() : nullptr, .relu = relu};
  }
};

// The tensors that the kernels of the backward pass read.
struct BatchNormSaved {
  Tensor mean, spread;  // `spread` is inverse_std of the batch in training, the running variance in evaluation
  Tensor y;             // defined if there is a residual

  BatchNormSaved(const BatchNormOp& op, const BatchNormState& state)
      : mean(op.options.training ? Tensor::empty_like(op.gamma) : state.running_mean),
        spread(op.options.training ? Tensor::empty_like(op.gamma) : state.running_var) {}
  kernel::BatchNormStatistics statistics() const {
    return {.mean = mean.as<float>(), .inverse_std = spread.as<float>()};
  }
  kernel::RunningStatistics running() const { return {.mean = mean.as<float>(), .var = spread.as<float>()}; }
  kernel::BatchNormNormalization normalization(const BatchNormOp& op) const {
    return {op.affine(),
            op.options.training ? constants_of(statistics()) : constants_of(running(), op.options.epsilon)};
  }
};

// The running statistics that training updates.
kernel::RunningStatistics updated(const BatchNormState& state) {
  return {.mean = state.running_mean.as<float>(),
          .var = state.running_var.as<float>(),
          .batches = state.num_batches_tracked.as<uint64_t>()};
}

// Computes the statistics of the batch and updates the running ones.
void update_statistics(const BatchNormOp& op, const BatchNormSaved& saved, const BatchNormState& state) {
  kernel::batch_norm_statistics(op.x.stream(), op.x.data(), saved.statistics(), updated(state), op.size(),
                                op.options.momentum, op.options.epsilon);
}

// The gradients of x, gamma and beta.
struct BatchNormGradients {
  Tensor dx, dgamma, dbeta;

  explicit BatchNormGradients(const BatchNormOp& op)
      : dx(Tensor::empty_like(op.x)), dgamma(Tensor::empty_like(op.gamma)), dbeta(Tensor::empty_like(op.beta)) {}
  kernel::BatchNormTermGradient pointers() const { return {dx.data(), dgamma.as<float>(), dbeta.as<float>()}; }
};

// Returns the gradients of x, residual, gamma and beta. `second_dy` is undefined, or is added to dy.
std::vector<Tensor> batch_norm_backward(const BatchNormOp& op, const BatchNormSaved& saved, const Tensor& dy,
                                        const Tensor& second_dy) {
  const bool has_residual = saved.y.defined();
  const BatchNormGradients d(op);
  const Tensor dz = has_residual ? Tensor::empty_like(op.x) : Tensor();
  const kernel::BatchNormOutputGradient gradient{.dy = dy.data(),
                                                 .relu = op.relu,
                                                 .dz = has_residual ? dz.data() : nullptr,
                                                 .y = has_residual ? saved.y.data() : nullptr,
                                                 .second_dy = second_dy.defined() ? second_dy.data() : nullptr};
  if (op.options.training) {
    kernel::batch_norm_backward_training(op.x.stream(), op.x.data(), gradient, op.affine(), saved.statistics(),
                                         d.dx.data(), d.dgamma.as<float>(), d.dbeta.as<float>(), op.size());
  } else {
    kernel::batch_norm_backward_evaluation(op.x.stream(), op.x.data(), gradient, op.affine(), saved.running(),
                                           d.dx.data(), d.dgamma.as<float>(), d.dbeta.as<float>(), op.size(),
                                           op.options.epsilon);
  }
  return {d.dx, dz, d.dgamma, d.dbeta};
}

void require_valid(const BatchNormOp& op, const BatchNormState& state) {
  MELGRAD_CHECK(op.x.shape().rank() >= 2, "{} needs channels in the last dimension, got shape {}", op.name,
                op.x.shape());
  for (const Tensor& vector : {op.gamma, op.beta, state.running_mean, state.running_var}) {
    require_per_channel(vector, op.x, op.x.shape()[op.x.shape().rank() - 1], op.name);
  }
  if (op.residual.defined()) require_same_kind(op.x, op.residual, op.name);
  MELGRAD_CHECK(!op.options.training || op.x.numel() / op.gamma.numel() >= 2,
                "{} of {} needs at least two values per channel to train; use a larger batch", op.name, op.x.shape());
}

Tensor run(const BatchNormOp& op, BatchNormState& state) {
  require_valid(op, state);
  BatchNormSaved saved(op, state);
  Tensor y = Tensor::empty_like(op.x);
  if (op.options.training) {
    kernel::batch_norm_forward_training(op.x.stream(), op.x.data(), op.epilogue(), op.affine(), y.data(),
                                        saved.statistics(), updated(state), op.size(), op.options.momentum,
                                        op.options.epsilon);
  } else {
    kernel::batch_norm_forward_evaluation(op.x.stream(), op.x.data(), op.epilogue(), op.affine(), y.data(),
                                          saved.running(), op.size(), op.options.epsilon);
  }
  BatchNormOp detached = op;
  for (Tensor* tensor : {&detached.x, &detached.gamma, &detached.beta}) *tensor = tensor->detach();
  if (op.residual.defined()) {
    detached.residual = Tensor();  // not read again
    saved.y = y.detach();
    return y.record_joining(op.name, {op.x, op.residual, op.gamma, op.beta},
                            [detached, saved](const Tensor& dy, const Tensor& second_dy) {
                              return batch_norm_backward(detached, saved, dy, second_dy);
                            });
  }
  return y.record(op.name, {op.x, op.residual, op.gamma, op.beta},
                  [detached, saved](const Tensor& dy) { return batch_norm_backward(detached, saved, dy, Tensor()); });
}

}  // namespace

Tensor batch_norm(const Tensor& x, const Tensor& gamma, const Tensor& beta, BatchNormState& state,
                  BatchNormOptions options) {
  return run({.name = "batch_norm", .x = x, .gamma = gamma, .beta = beta, .relu = false, .options = options}, state);
}

Tensor batch_norm_relu(const Tensor& x, const Tensor& gamma, const Tensor& beta, BatchNormState& state,
                       BatchNormOptions options) {
  return run({.name = "batch_norm_relu", .x = x, .gamma = gamma, .beta = beta, .relu = true, .options = options},
             state);
}

Tensor batch_norm_add_relu(const Tensor& x, const Tensor& residual, const Tensor& gamma, const Tensor& beta,
                           BatchNormState& state, BatchNormOptions options) {
  return run({.name = "batch_norm_add_relu",
              .x = x,
              .residual = residual,
              .gamma = gamma,
              .beta = beta,
              .relu = true,
              .options = options},
             state);
}

namespace {

// One of the batch norms whose outputs are added.
struct BatchNormSummand {
  BatchNormOp op;
  BatchNormSaved saved;

  BatchNormSummand(const char* name, const BatchNormInput& in, BatchNormOptions options)
      : op{.name = name,
           .x = in.x.detach(),
           .gamma = in.gamma.detach(),
           .beta = in.beta.detach(),
           .relu = true,
           .options = options},
        saved(op, in.state) {
    require_valid(op, in.state);
  }
  kernel::BatchNormTerm term() const { return {op.x.data(), saved.normalization(op)}; }
};

}  // namespace

Tensor batch_norm_sum_relu(const BatchNormInput& in_a, const BatchNormInput& in_b, BatchNormOptions options) {
  const char* const name = "batch_norm_sum_relu";
  require_same_kind(in_a.x, in_b.x, name);
  const BatchNormSummand a(name, in_a, options), b(name, in_b, options);
  if (options.training) {
    update_statistics(a.op, a.saved, in_a.state);
    update_statistics(b.op, b.saved, in_b.state);
  }
  Tensor y = Tensor::empty_like(a.op.x);
  kernel::batch_norm_sum_forward(y.stream(), a.term(), b.term(), y.data(), a.op.size());
  return y.record_joining(name, {in_a.x, in_a.gamma, in_a.beta, in_b.x, in_b.gamma, in_b.beta},
                          [a, b](const Tensor& dy, const Tensor& second_dy) {
                            const BatchNormGradients da(a.op), db(b.op);
                            kernel::batch_norm_sum_backward(dy.stream(), a.term(), b.term(), dy.data(),
                                                            second_dy.defined() ? second_dy.data() : nullptr,
                                                            a.op.options.training, da.pointers(), db.pointers(),
                                                            a.op.size());
                            return std::vector{da.dx, da.dgamma, da.dbeta, db.dx, db.dgamma, db.dbeta};
                          });
}

Tensor batch_norm_relu_max_pool2d(const Tensor& x, const Tensor& gamma, const Tensor& beta, BatchNormState& state,
                                  BatchNormOptions options, Pool2dOptions pooling) {
  const BatchNormOp op{.name = "batch_norm_relu_max_pool2d",
                       .x = x.detach(),
                       .gamma = gamma.detach(),
                       .beta = beta.detach(),
                       .relu = true,
                       .options = options};
  const kernel::Pool2d pool = pool_of(x, pooling, op.name);
  require_valid(op, state);
  const BatchNormSaved saved(op, state);
  if (options.training) update_statistics(op, saved, state);
  Tensor y = Tensor::empty({pool.batch, pool.out_height(), pool.out_width(), pool.channels}, x.dtype(), x.device());
  const Tensor taken = Tensor::empty(y.shape(), DType::uint8, x.device());
  const Tensor taken_x = NoGrad::active() ? Tensor() : Tensor::empty_like(y);
  kernel::batch_norm_max_pool2d_forward(
      x.stream(), x.data(), saved.normalization(op), y.data(),
      {.taken = taken.as<uint8_t>(), .x = taken_x.defined() ? taken_x.data() : nullptr}, x.dtype(), pool);
  return y.record_joining(op.name, {x, gamma, beta}, [=](const Tensor& dy, const Tensor& second_dy) {
    const BatchNormGradients d(op);
    kernel::batch_norm_max_pool2d_backward(
        dy.stream(), op.x.data(), dy.data(), second_dy.defined() ? second_dy.data() : nullptr,
        {.taken = taken.as<uint8_t>(), .x = taken_x.data()}, saved.normalization(op), op.options.training, d.dx.data(),
        d.dgamma.as<float>(), d.dbeta.as<float>(), op.x.dtype(), pool);
    return std::vector{d.dx, d.dgamma, d.dbeta};
  });
}

Tensor conv2d_batch_norm(const Conv2dInput& in, const Tensor& gamma, const Tensor& beta, BatchNormState& state,
                         BatchNormOptions options, const BatchNormFollowers& followers) {
  MELGRAD_CHECK(!options.training, "conv2d_batch_norm normalises by running statistics and cannot train");
  const kernel::Conv2d conv = convolution_of(in, "conv2d_batch_norm");
  Tensor y = Tensor::empty(output_shape(conv), in.x.dtype(), in.x.device());
  const BatchNormOp op{.name = "conv2d_batch_norm",
                       .x = y,
                       .residual = followers.residual,
                       .gamma = gamma,
                       .beta = beta,
                       .relu = followers.relu,
                       .options = options};
  require_valid(op, state);
  kernel::conv2d_batch_norm_forward(in.x.stream(), in.x.data(), in.w.data(), op.epilogue(), op.affine(),
                                    BatchNormSaved(op, state).running(), y.data(), in.x.dtype(), conv, options.epsilon);
  multiply_adds_so_far += conv.multiply_adds();
  return y;
}

Tensor dropout(const Tensor& x, float probability, RandomStream random) {
  MELGRAD_CHECK(probability >= 0 && probability < 1, "dropout probability {} is not in [0, 1)", probability);
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

}  // namespace melgrad
