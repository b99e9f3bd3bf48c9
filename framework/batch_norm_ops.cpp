// The batch norm ops of ops.h, with what they compute in the same passes over memory.
#include "framework/op_support.h"
#include "framework/ops.h"
#include "kernels/batch_norm.h"
#include "kernels/batch_norm_max_pool2d.h"
#include "kernels/batch_norm_sum.h"
#include "kernels/conv2d_batch_norm.h"

namespace melgrad {
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
  count_multiply_adds(conv.multiply_adds());
  return y;
}

}  // namespace melgrad
