// The object that a Tensor's handle points to. Only tensor.cpp, autograd.cpp and mixed_precision.cpp include this file.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "framework/tensor.h"

namespace melgrad {

// A block of a device's memory. The last tensor that shares it releases it to the stream's allocator.
class Buffer {
 public:
  Buffer(Device device, size_t bytes) : stream_(Stream::of(device)), data_(stream_.allocate(bytes)) {}
  ~Buffer() { stream_.release(data_); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  Device device() const { return stream_.device(); }
  void* data() const { return data_; }

 private:
  Stream& stream_;
  void* data_;
};

struct Tensor::Node {
  const char* op;
  std::vector<Tensor> inputs;
  JoiningBackward backward;
  bool joins;  // backward takes two gradients; otherwise the second one is undefined
  bool consumed = false;
  ~Node();
};

struct Tensor::Impl {
  std::shared_ptr<Buffer> buffer;
  Shape shape;
  DType dtype = DType::float32;
  bool requires_grad = false;
  std::unique_ptr<Node> node;  // null for a leaf
  Tensor grad;
  Tensor compute_copy;  // see mixed_precision.h
};

}  // namespace melgrad
