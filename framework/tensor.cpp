#include "framework/tensor.h"

#include "framework/mixed_precision.h"
#include "framework/tensor_impl.h"

namespace melgrad {

Tensor Tensor::empty(const Shape& shape, DType dtype, Device device) {
  const size_t bytes = static_cast<size_t>(shape.numel()) * size_of(dtype);
  return Tensor(std::make_shared<Impl>(Impl{std::make_shared<Buffer>(device, bytes), shape, dtype}));
}

Tensor Tensor::zeros(const Shape& shape, DType dtype, Device device) {
  Tensor result = empty(shape, dtype, device);
  result.stream().zero(result.data(), result.bytes());
  return result;
}

Tensor Tensor::full(const Shape& shape, float value, Device device) {
  return from(std::vector<float>(static_cast<size_t>(shape.numel()), value), shape, device);
}

Tensor Tensor::from(std::span<const float> values, const Shape& shape, Device device) {
  MELGRAD_CHECK(values.size() == static_cast<size_t>(shape.numel()), "cannot fill shape {} with {} values", shape,
                values.size());
  Tensor result = empty(shape, DType::float32, device);
  result.stream().copy(result.data(), values.data(), result.bytes());
  return result;
}

Tensor::Impl& Tensor::impl() const {
  MELGRAD_CHECK(impl_, "an undefined tensor was used");
  return *impl_;
}

const Shape& Tensor::shape() const { return impl().shape; }
DType Tensor::dtype() const { return impl().dtype; }
Device Tensor::device() const { return impl().buffer->device(); }
void* Tensor::data() const { return impl().buffer->data(); }

Tensor Tensor::view(const Shape& shape) const {
  MELGRAD_CHECK(shape.numel() == numel(), "cannot view {} as {}", this->shape(), shape);
  return Tensor(std::make_shared<Impl>(Impl{impl().buffer, shape, dtype()}));
}

Tensor Tensor::clone() const {
  Tensor result = empty(shape(), dtype(), device());
  stream().copy(result.data(), data(), bytes());
  return result;
}

Tensor Tensor::to(Device target) const {
  if (target == device()) return *this;
  Tensor result = empty(shape(), dtype(), target);
  result.assign(*this);
  return result;
}

void Tensor::move_to(Device target) {
  if (target == device()) return;
  impl().buffer = to(target).impl().buffer;
  impl().grad = impl().compute_copy = {};
}

void Tensor::assign(const Tensor& source) {
  MELGRAD_CHECK(source.shape() == shape() && source.dtype() == dtype(), "cannot assign {} {} to {} {}",
                name_of(source.dtype()), source.shape(), name_of(dtype()), shape());
  Stream& copier = source.device() == Device::cuda ? source.stream() : stream();
  copier.copy(data(), source.data(), bytes());
  renew_compute_copy(*this);
}

std::vector<float> Tensor::to_vector() const {
  MELGRAD_CHECK(dtype() == DType::float32, "to_vector needs float32, got {}", name_of(dtype()));
  std::vector<float> values(static_cast<size_t>(numel()));
  stream().copy(values.data(), data(), bytes());
  return values;
}

float Tensor::item() const {
  MELGRAD_CHECK(numel() == 1, "item() needs one element, got shape {}", shape());
  return to_vector()[0];
}

Tensor& Tensor::require_grad(bool on) {
  MELGRAD_CHECK(!impl().node, "require_grad is for leaves; this tensor is the output of {}", impl().node->op);
  impl().requires_grad = on;
  return *this;
}

bool Tensor::requires_grad() const { return impl().requires_grad; }
Tensor Tensor::grad() const { return impl().grad; }
void Tensor::zero_grad() { impl().grad = {}; }

}  // namespace melgrad
