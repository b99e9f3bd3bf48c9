// A tensor is a handle: values in a device's memory and, when it was computed from tensors that require gradients, the
// node of the autograd graph that computed it. Copying a Tensor copies the handle, not the values.
//
// How gradients come about (autograd.cpp holds the engine):
// - an op computes its output and calls record() with its inputs and a function that, given the gradient of the output,
//   returns a gradient for each input (an undefined tensor where none is needed);
// - backward() walks the graph from the output to the leaves. A tensor used several times gets the sum of the gradients
//   of its uses; only the engine adds, backward functions never do;
// - each node is freed as it is consumed, so activations go back to the allocator during the walk, and a second
//   backward() over the same graph is an Error;
// - the gradient of a leaf is added to leaf.grad(), until zero_grad() drops it.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "framework/shape.h"
#include "kernels/device/dtype.h"
#include "kernels/device/stream.h"

namespace melgrad {

class Tensor;
using Backward = std::function<std::vector<Tensor>(const Tensor& dy)>;

class Tensor {
 public:
  Tensor() = default;  // undefined: defined() is false and nothing else may be called

  static Tensor empty(const Shape&, DType = DType::float32, Device = Device::cpu);
  static Tensor zeros(const Shape&, DType = DType::float32, Device = Device::cpu);
  static Tensor full(const Shape&, float value, Device = Device::cpu);
  // Copies float32 values, shape.numel() of them, to the device.
  static Tensor from(std::span<const float> values, const Shape&, Device = Device::cpu);

  bool defined() const { return impl_ != nullptr; }
  const Shape& shape() const;
  int64_t numel() const { return shape().numel(); }
  DType dtype() const;
  Device device() const;
  Stream& stream() const { return Stream::of(device()); }
  size_t bytes() const { return static_cast<size_t>(numel()) * size_of(dtype()); }

  // The values in the device's memory, in row-major order of shape().
  void* data() const;
  template <class T>
  T* as() const {
    return static_cast<T*>(data());
  }

  // The same values under another shape of equally many elements; they are shared, not copied. Not recorded: the
  // differentiable form is ops.h's reshape.
  Tensor view(const Shape&) const;
  // The same values outside any graph. Backward functions capture y.detach(), never y, which would keep itself alive.
  Tensor detach() const { return view(shape()); }
  Tensor clone() const;
  // A copy on the device, or the tensor itself when it is there already.
  Tensor to(Device) const;
  // Puts this tensor's values, and those of all handles that share it, on another device. For parameters and buffers.
  void move_to(Device);
  // Overwrites the values with those of a tensor of the same shape and dtype on any device.
  void assign(const Tensor& source);
  // Makes a copy in another dtype that cast() then takes for nothing; assign() renews it, and so must whoever else
  // writes the values. A leaf that has one collects its gradient in the copy's dtype. For weights, which the optimizer
  // keeps in float32 and the layers read in bfloat16.
  Tensor keep_copy(DType);
  // Undefined when none is kept.
  Tensor kept_copy() const;

  // Copies out float32 values; waits for the device.
  std::vector<float> to_vector() const;
  float item() const;

  // A leaf with require_grad collects gradients; every tensor computed from one requires_grad() too.
  Tensor& require_grad(bool on = true);
  bool requires_grad() const;
  // Undefined before the first backward(). Shares its values with the engine's own handle: read it, do not write it.
  Tensor grad() const;
  void zero_grad();

  // From a tensor of one element, or from any tensor given the gradient of some scalar by it. Throws Error when the
  // graph was consumed before, when this tensor requires no gradient, and when a backward function returns a gradient
  // of the wrong count, shape, dtype or device.
  void backward() const;
  void backward(const Tensor& dy) const;

  // Makes this tensor the output of op(inputs). Does nothing under NoGrad or when no input requires a gradient.
  Tensor record(const char* op, std::vector<Tensor> inputs, Backward backward) const;

 private:
  friend class BackwardPass;
  struct Impl;
  struct Node;
  explicit Tensor(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
  Impl& impl() const;
  std::shared_ptr<Impl> impl_;
};

// While in scope, nothing is recorded on this thread: for evaluation and for writing to parameters.
class NoGrad {
 public:
  NoGrad();
  ~NoGrad();
  NoGrad(const NoGrad&) = delete;
  NoGrad& operator=(const NoGrad&) = delete;

 private:
  bool previous_;
};

}  // namespace melgrad
