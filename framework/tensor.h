// A tensor is a handle: it refers to values in a device's memory and, when an op computed the values from tensors that
// require gradients, to a node of the autograd graph. Copying a Tensor copies the handle, not the values.
//
// Gradients are computed in these steps (the engine is in autograd.cpp):
// - An op computes its output and calls record() with its inputs and a backward function. The backward function takes
//   the gradient of the output and returns one gradient per input (an undefined tensor for an input that needs none).
// - backward() walks the graph from the output to the leaves. A tensor that is used several times gets the sum of the
//   gradients of its uses. The engine adds them, except for ops that record a JoiningBackward.
// - The engine frees each node after use, so activations return to the allocator during the walk. A second backward()
//   over the same graph throws Error.
// - The gradient of a leaf is added to leaf.grad() until zero_grad() drops it.
#pragma once

#include <functional>
#include <iosfwd>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "framework/shape.h"
#include "kernels/device/dtype.h"
#include "kernels/device/stream.h"

namespace melgrad {

class Tensor;
using Backward = std::function<std::vector<Tensor>(const Tensor& dy)>;
// Adds `second_dy`, unless it is undefined, to dy in its own pass over memory.
using JoiningBackward = std::function<std::vector<Tensor>(const Tensor& dy, const Tensor& second_dy)>;

class Tensor {
 public:
  Tensor() = default;  // undefined: defined() is false, and no other function may be called

  // Allocates without initialising the values.
  static Tensor empty(const Shape&, DType = DType::float32, Device = Device::cpu);
  static Tensor empty_like(const Tensor& x) { return empty(x.shape(), x.dtype(), x.device()); }
  static Tensor zeros(const Shape&, DType = DType::float32, Device = Device::cpu);
  static Tensor full(const Shape&, float value, Device = Device::cpu);
  // Copies shape.numel() float32 values to the device.
  static Tensor from(std::span<const float> values, const Shape&, Device = Device::cpu);

  bool defined() const { return impl_ != nullptr; }
  const Shape& shape() const;
  int64_t numel() const { return shape().numel(); }
  DType dtype() const;
  Device device() const;
  Stream& stream() const { return Stream::of(device()); }
  size_t bytes() const { return static_cast<size_t>(numel()) * size_of(dtype()); }

  // The values in the device's memory, in row-major order.
  void* data() const;
  template <class T>
  T* as() const {
    return static_cast<T*>(data());
  }

  // A tensor of another shape, with as many elements, that shares the values. It is outside the graph; reshape() in
  // ops.h is the differentiable form.
  Tensor view(const Shape&) const;
  // A tensor that shares the values but is outside the graph. Backward functions capture y.detach(): a node that
  // captures its own output y would keep itself alive.
  Tensor detach() const { return view(shape()); }
  Tensor clone() const;
  // A copy on the device, or this tensor if it is already there.
  Tensor to(Device) const;
  // Moves the values to another device for all handles of this tensor, and drops the gradient. Use it for parameters
  // and buffers.
  void move_to(Device);
  // Overwrites the values with those of a tensor of the same shape and dtype on any device.
  void assign(const Tensor& source);

  // Copies float32 values to the host. Waits for the device.
  std::vector<float> to_vector() const;
  // The value of a tensor with one element. Waits for the device.
  float item() const;

  // Makes a leaf collect its gradient in grad(). For every tensor computed from such a leaf, requires_grad() is true
  // too.
  Tensor& require_grad(bool on = true);
  bool requires_grad() const;
  // The gradient; undefined before the first backward() and after zero_grad(). It shares its values with the engine:
  // read it, do not write it.
  Tensor grad() const;
  void zero_grad();

  // The first form needs a tensor of one element. The second form takes the gradient `dy` of a scalar with respect to
  // this tensor. Both throw Error when an earlier backward() consumed the graph, when this tensor requires no gradient,
  // and when a backward function returns gradients of the wrong count, shape, dtype or device.
  void backward() const;
  void backward(const Tensor& dy) const;

  // Makes this tensor the output of op(inputs) and returns it. Does nothing under NoGrad or when no input requires a
  // gradient.
  Tensor record(const char* op, std::vector<Tensor> inputs, Backward backward) const;
  // The same for a backward function that takes the gradients of two uses of this tensor and adds them itself.
  Tensor record_joining(const char* op, std::vector<Tensor> inputs, JoiningBackward backward) const;

 private:
  friend class BackwardPass;                            // autograd.cpp
  friend void keep_compute_copy(const Tensor&, DType);  // mixed_precision.cpp
  friend Tensor compute_copy(const Tensor&);            // mixed_precision.cpp
  struct Impl;
  struct Node;
  explicit Tensor(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
  Impl& impl() const;
  void attach(const char* op, std::vector<Tensor> inputs, bool joins, JoiningBackward backward) const;
  std::shared_ptr<Impl> impl_;
};

// The values, shape, dtype and device as text, formatted like PyTorch's print(). A tensor of more than 1000 values is
// shortened to the first and last three along each dimension. Waits for the device.
//   tensor([[ 1.0000, -2.5000],
//           [ 0.0000,  4.0000]], shape=[2, 2], dtype=float32, device=cpu)
std::string to_string(const Tensor& tensor);
std::ostream& operator<<(std::ostream& out, const Tensor& tensor);

// While in scope, ops record nothing on this thread: for evaluation and for writing to parameters.
class NoGrad {
 public:
  NoGrad();
  ~NoGrad();
  // True within the scope of a NoGrad of this thread.
  static bool active();
  NoGrad(const NoGrad&) = delete;
  NoGrad& operator=(const NoGrad&) = delete;

 private:
  bool previous_;
};

}  // namespace melgrad
