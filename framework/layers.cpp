#include "framework/layers.h"

#include "framework/init.h"

namespace melgrad {

Conv2d::Conv2d(int64_t in_channels, int64_t out_channels, Options options) : options_(options) {
  const Shape shape{out_channels, options.kernel_size, options.kernel_size, in_channels};
  const int64_t fan_in = in_channels * options.kernel_size * options.kernel_size;
  const bool as_pytorch = options.init == Init::pytorch;
  weight_ = param("weight", as_pytorch ? default_init(shape, fan_in) : kaiming_normal_init(shape));
  if (options.bias) {
    bias_ = param("bias", as_pytorch ? default_init({out_channels}, fan_in) : Tensor::zeros({out_channels}));
  }
}

std::string Conv2d::description() const {
  const Shape& shape = weight_.shape();
  return fmt::format("Conv2d({} -> {}, {}x{}{})", shape[3], shape[0], shape[1], shape[2],
                     options_.stride == 1 ? "" : fmt::format(", stride {}", options_.stride));
}

BatchNorm2d::BatchNorm2d(int64_t channels) {
  weight_ = param("weight", Tensor::full({channels}, 1));
  bias_ = param("bias", Tensor::zeros({channels}));
  state_ = {.running_mean = buffer("running_mean", Tensor::zeros({channels})),
            .running_var = buffer("running_var", Tensor::full({channels}, 1)),
            .num_batches_tracked = buffer("num_batches_tracked", Tensor::zeros({}, DType::uint64))};
}

std::string BatchNorm2d::description() const { return fmt::format("BatchNorm2d({})", weight_.numel()); }

Tensor BatchNorm2d::forward(const Tensor& x) { return batch_norm(x, weight_, bias_, state_, options()); }

Tensor BatchNorm2d::relu(const Tensor& x) {
  return run(
      x, [&] { return batch_norm_relu(x, weight_, bias_, state_, options()); }, Fused::relu);
}

Tensor BatchNorm2d::add_relu(const Tensor& x, const Tensor& residual) {
  return run(
      x, [&] { return batch_norm_add_relu(x, residual, weight_, bias_, state_, options()); }, Fused::shortcut_and_relu);
}

bool BatchNorm2d::folds_into(const Conv2d& conv) const {
  return !training() && NoGrad::active() && !conv.has_bias() && !is_observed();
}

Tensor BatchNorm2d::fold_into(Conv2d& conv, const Tensor& x, const BatchNormFollowers& followers) {
  return run(x, [&] { return conv2d_batch_norm(conv.input(x), weight_, bias_, state_, options(), followers); });
}

Tensor BatchNorm2d::normalize(Conv2d& conv, const Tensor& x) {
  return folds_into(conv) ? fold_into(conv, x, {}) : (*this)(conv(x));
}

Tensor BatchNorm2d::relu(Conv2d& conv, const Tensor& x) {
  return folds_into(conv) ? fold_into(conv, x, {.relu = true}) : relu(conv(x));
}

Tensor BatchNorm2d::add_relu(Conv2d& conv, const Tensor& x, const Tensor& residual) {
  return folds_into(conv) ? fold_into(conv, x, {.residual = residual, .relu = true}) : add_relu(conv(x), residual);
}

Tensor BatchNorm2d::add_relu(const Tensor& x, BatchNorm2d& other, const Tensor& y) {
  if (is_observed()) return add_relu(x, other(y));
  return run(x, [&] {
    return batch_norm_sum_relu({x, weight_, bias_, state_}, {y, other.weight_, other.bias_, other.state_}, options());
  });
}

Tensor BatchNorm2d::relu_pool(const Tensor& x, MaxPool2d& pool) {
  if (is_observed()) return pool(relu(x));
  return run(x, [&] { return batch_norm_relu_max_pool2d(x, weight_, bias_, state_, options(), pool.options()); });
}

std::string MaxPool2d::description() const {
  return fmt::format("MaxPool2d({}x{}, stride {})", options_.kernel_size, options_.kernel_size, options_.stride);
}

Linear::Linear(int64_t in_features, int64_t out_features) {
  weight_ = param("weight", default_init({out_features, in_features}, in_features));
  bias_ = param("bias", default_init({out_features}, in_features));
}

std::string Linear::description() const {
  return fmt::format("Linear({} -> {})", weight_.shape()[1], weight_.shape()[0]);
}

std::string Dropout::description() const { return fmt::format("Dropout({})", probability_); }

Tensor Dropout::forward(const Tensor& x) {
  if (!training() || probability_ == 0) return x;
  return dropout(x, probability_, default_generator(x.device()).draw());
}

namespace {

// The module at position i if there is one and it is an M; otherwise null.
template <class M>
M* module_at(const std::vector<Module*>& modules, size_t i) {
  return i < modules.size() ? dynamic_cast<M*>(modules[i]) : nullptr;
}

}  // namespace

Tensor Sequential::forward(const Tensor& x) {
  const std::vector<Module*> modules = children();
  Tensor y = x;
  for (size_t i = 0; i < modules.size();) {
    Conv2d* const conv = module_at<Conv2d>(modules, i);
    BatchNorm2d* const next_norm = module_at<BatchNorm2d>(modules, i + 1);
    // A pool after them takes the batch norm into its own pass instead.
    if (conv && next_norm && next_norm->folds_into(*conv) && !module_at<MaxPool2d>(modules, i + 3)) {
      const bool relu_follows = module_at<ReLU>(modules, i + 2) != nullptr;
      y = relu_follows ? next_norm->relu(*conv, y) : next_norm->normalize(*conv, y);
      i += relu_follows ? 3 : 2;
      continue;
    }
    BatchNorm2d* const norm = module_at<BatchNorm2d>(modules, i);
    MaxPool2d* const pool = module_at<MaxPool2d>(modules, i + 2);
    const bool has_relu = module_at<ReLU>(modules, i + 1) != nullptr;
    if (norm && has_relu && pool && !is_observed()) {
      y = norm->relu_pool(y, *pool);
      i += 3;
    } else if (norm && has_relu && !is_observed()) {
      y = norm->relu(y);
      i += 2;
    } else {
      y = (*modules[i++])(y);
    }
  }
  return y;
}

}  // namespace melgrad
