#include "framework/mixed_precision.h"

#include "framework/tensor_impl.h"
#include "kernels/cast.h"

namespace melgrad {

void keep_compute_copy(const Tensor& parameter, DType dtype) {
  if (parameter.shape().rank() < 2) return;
  parameter.impl().compute_copy = Tensor::empty(parameter.shape(), dtype, parameter.device());
  renew_compute_copy(parameter);
}

Tensor compute_copy(const Tensor& tensor) { return tensor.impl().compute_copy; }

void renew_compute_copy(const Tensor& tensor) {
  const Tensor copy = compute_copy(tensor);
  if (!copy.defined()) return;
  kernel::cast(tensor.stream(), tensor.data(), tensor.dtype(), copy.data(), copy.dtype(), tensor.numel());
}

DType gradient_dtype(const Tensor& tensor) {
  const Tensor copy = compute_copy(tensor);
  return copy.defined() ? copy.dtype() : tensor.dtype();
}

}  // namespace melgrad
