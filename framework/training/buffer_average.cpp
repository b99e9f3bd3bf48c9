#include "framework/training/buffer_average.h"

#include "kernels/arithmetic.h"

namespace melgrad {

BufferAverage::BufferAverage(const Module& model) {
  for (const Named& named : model.unfrozen_buffers()) {
    entries_.push_back({.buffer = named.tensor, .before = {}, .sum = {}});
  }
}

void BufferAverage::begin_step() {
  for (Entry& entry : entries_) {
    entry.before = entry.buffer.clone();
    entry.sum = {};
  }
}

void BufferAverage::begin_part() {
  for (Entry& entry : entries_) entry.buffer.assign(entry.before);
}

void BufferAverage::end_part(const float* weight) {
  for (Entry& entry : entries_) {
    const Tensor& x = entry.buffer;
    if (x.dtype() != DType::float32) continue;
    const Tensor share = Tensor::empty_like(x);
    kernel::scale(x.stream(), x.data(), weight, share.data(), x.dtype(), x.numel());
    if (entry.sum.defined()) {
      kernel::add(x.stream(), entry.sum.data(), share.data(), entry.sum.data(), x.dtype(), x.numel());
    } else {
      entry.sum = share;
    }
  }
}

std::vector<Tensor> BufferAverage::sums() {
  std::vector<Tensor> result;
  for (Entry& entry : entries_) {
    const Tensor& x = entry.buffer;
    if (x.dtype() != DType::float32) continue;
    if (!entry.sum.defined()) entry.sum = Tensor::full(x.shape(), -0.0f, x.device());  // the neutral element
    result.push_back(entry.sum);
  }
  return result;
}

void BufferAverage::end_step() {
  for (Entry& entry : entries_) {
    if (entry.sum.defined()) entry.buffer.assign(entry.sum);
    entry.before = entry.sum = {};
  }
}

}  // namespace melgrad
