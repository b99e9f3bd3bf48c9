#include "framework/mixed_precision.h"

#include "framework/tensor_impl.h"
#include "kernels/cast.h"

namespace melgrad {

void keep_bfloat16_copy(const Tensor& parameter) {
  if (parameter.shape().rank() < 2) return;
  parameter.impl().bfloat16_copy = Tensor::empty(parameter.shape(), DType::bfloat16, parameter.device());
  renew_bfloat16_copy(parameter);
}

Tensor bfloat16_copy(const Tensor& tensor) { return tensor.impl().bfloat16_copy; }

void renew_bfloat16_copy(const Tensor& tensor) {
  const Tensor copy = bfloat16_copy(tensor);
  if (copy.defined()) kernel::cast(tensor.stream(), tensor.data(), tensor.dtype(), copy.data(), tensor.numel());
}

DType gradient_dtype(const Tensor& tensor) {
  return bfloat16_copy(tensor).defined() ? DType::bfloat16 : tensor.dtype();
}

}  // namespace melgrad
