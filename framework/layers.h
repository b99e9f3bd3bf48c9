// The layers that models are made of. Names, defaults and initialisation are those of PyTorch.
#pragma once

#include "framework/module.h"
#include "framework/ops.h"

namespace melgrad {

class Conv2d : public Module {
 public:
  // PyTorch's default, or the initialisation of torchvision's networks (He et al. 2015), in which biases are 0.
  enum class Init { pytorch, kaiming_normal };
  struct Options {
    int64_t kernel_size = 3, stride = 1, padding = 0;
    bool bias = true;
    Init init = Init::pytorch;
  };
  Conv2d(int64_t in_channels, int64_t out_channels, Options options);
  std::string description() const override;
  const Options& options() const { return options_; }
  bool has_bias() const { return options_.bias; }
  // The operands of the convolution, without the bias.
  Conv2dInput input(const Tensor& x) const {
    return {.x = x, .w = cast(weight_, x.dtype()), .stride = options_.stride, .padding = options_.padding};
  }

 protected:
  Tensor forward(const Tensor& x) override {
    return conv2d(x, cast(weight_, x.dtype()), bias_, options_.stride, options_.padding);
  }

 private:
  Options options_;
  Tensor weight_, bias_;
};

class MaxPool2d : public Module {
 public:
  MaxPool2d(int64_t kernel_size, int64_t stride, int64_t padding)
      : options_{.kernel_size = kernel_size, .stride = stride, .padding = padding} {}
  std::string description() const override;
  const Pool2dOptions& options() const { return options_; }

 protected:
  Tensor forward(const Tensor& x) override {
    return max_pool2d(x, options_.kernel_size, options_.stride, options_.padding);
  }

 private:
  Pool2dOptions options_;
};

class BatchNorm2d : public Module {
 public:
  explicit BatchNorm2d(int64_t channels);
  std::string description() const override;

  // relu((*this)(x)), relu((*this)(x) + residual), relu((*this)(x) + other(y)) and pool(relu((*this)(x))), in fewer
  // passes over memory.
  Tensor relu(const Tensor& x);
  Tensor add_relu(const Tensor& x, const Tensor& residual);
  // True if the next three compute the convolution and what follows in one pass: in evaluation without gradients,
  // unless `conv` has a bias or a ForwardObserver follows the modules.
  bool folds_into(const Conv2d& conv) const;
  // (*this)(conv(x)), relu(conv(x)) and add_relu(conv(x), residual).
  Tensor normalize(Conv2d& conv, const Tensor& x);
  Tensor relu(Conv2d& conv, const Tensor& x);
  Tensor add_relu(Conv2d& conv, const Tensor& x, const Tensor& residual);
  // While a ForwardObserver follows the modules, the last two run them one by one, so that it sees both outputs.
  Tensor add_relu(const Tensor& x, BatchNorm2d& other, const Tensor& y);
  Tensor relu_pool(const Tensor& x, MaxPool2d& pool);

 protected:
  Tensor forward(const Tensor& x) override;

 private:
  BatchNormOptions options() const { return {.training = training()}; }
  Tensor fold_into(Conv2d& conv, const Tensor& x, const BatchNormFollowers& followers);

  Tensor weight_, bias_;
  BatchNormState state_;
};

class ReLU : public Module {
 public:
  std::string description() const override { return "ReLU"; }

 protected:
  Tensor forward(const Tensor& x) override { return relu(x); }
};

// The mean of each channel: [N, H, W, C] -> [N, 1, 1, C].
class GlobalAvgPool2d : public Module {
 public:
  std::string description() const override { return "AdaptiveAvgPool2d(1)"; }

 protected:
  Tensor forward(const Tensor& x) override { return adaptive_avg_pool2d(x, 1, 1); }
};

class Flatten : public Module {
 public:
  std::string description() const override { return "Flatten"; }

 protected:
  Tensor forward(const Tensor& x) override { return flatten(x); }
};

class Linear : public Module {
 public:
  Linear(int64_t in_features, int64_t out_features);
  std::string description() const override;

 protected:
  Tensor forward(const Tensor& x) override { return linear(x, cast(weight_, x.dtype()), bias_); }

 private:
  Tensor weight_, bias_;
};

// Draws from the default generator of the input's device. In evaluation mode it returns its input.
class Dropout : public Module {
 public:
  explicit Dropout(float probability) : probability_(probability) {}
  std::string description() const override;

 protected:
  Tensor forward(const Tensor& x) override;

 private:
  float probability_;
};

// Applies modules one after another. Their names are their positions, "0", "1", ... A batch norm that is followed by
// ReLU, or by ReLU and max pooling, is computed with them in fewer passes over memory; a ForwardObserver sees each
// module.
class Sequential : public Module {
 public:
  template <class M, class... Arguments>
  Sequential& add(Arguments&&... arguments) {
    child<M>(std::to_string(children().size()), std::forward<Arguments>(arguments)...);
    return *this;
  }
  std::string description() const override { return "Sequential"; }

 protected:
  Tensor forward(const Tensor& x) override;
};

}  // namespace melgrad
