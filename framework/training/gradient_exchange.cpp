#include "framework/training/gradient_exchange.h"

#include <algorithm>
#include <utility>

namespace melgrad {

GradientExchange::GradientExchange(Communicator& ranks, std::vector<Named> parameters)
    : ranks_(ranks), parameters_(std::move(parameters)) {}

void GradientExchange::sum(std::span<const Tensor> further) {
  std::vector<Tensor> tensors;
  for (const Named& parameter : parameters_) {
    // Adding -0 changes no value, not even the sign of a zero.
    if (!parameter.tensor.grad().defined()) parameter.tensor.backward(Tensor::full(parameter.tensor.shape(), -0.0f));
    tensors.push_back(parameter.tensor.grad());
  }
  tensors.insert(tensors.end(), further.begin(), further.end());
  values_.clear();
  for (const Tensor& tensor : tensors) {
    MELGRAD_CHECK(tensor.device() == Device::cpu && tensor.dtype() == DType::float32,
                  "several processes train in float32 on the CPU, got {} on {}", name_of(tensor.dtype()),
                  name_of(tensor.device()));
    values_.insert(values_.end(), tensor.as<float>(), tensor.as<float>() + tensor.numel());
  }
  ranks_.all_reduce(values_.data(), values_.size());
  const float* next = values_.data();
  for (const Tensor& tensor : tensors) {
    std::copy_n(next, tensor.numel(), tensor.as<float>());
    next += tensor.numel();
  }
}

}  // namespace melgrad
