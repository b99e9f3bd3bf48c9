// What changes from one training step to the next, in the memory of the device: the items of the batch, the step of the
// random numbers, and the scalars of Adam. One upload brings all of it.
#pragma once

#include <cstring>
#include <span>
#include <vector>

#include "framework/tensor.h"
#include "framework/training/batch_source.h"
#include "kernels/adam.h"

namespace melgrad {

class StepInputs {
 public:
  StepInputs(Device device, int64_t most_items)
      : host_(sizeof(Scalars) + static_cast<size_t>(most_items) * sizeof(int64_t)),
        device_(Tensor::empty({static_cast<int64_t>(host_.size())}, DType::uint8, device)) {}

  // `items` must stay valid as long as items() is used.
  void upload(std::span<const int64_t> items, uint64_t step, const kernel::AdamScalars& adam) {
    const Scalars scalars{step, adam};
    const size_t bytes = sizeof scalars + items.size_bytes();
    MELGRAD_CHECK(bytes <= host_.size(), "a batch of {} items is larger than announced", items.size());
    std::memcpy(host_.data(), &scalars, sizeof scalars);
    std::memcpy(host_.data() + sizeof scalars, items.data(), items.size_bytes());
    device_.stream().copy(device_.data(), host_.data(), bytes);
    items_ = items;
  }

  BatchItems items() const {
    return {items_, reinterpret_cast<const int64_t*>(device_.as<uint8_t>() + sizeof(Scalars))};
  }
  // Makes the draws of the generator belong to the uploaded step.
  void lead(Generator& generator) const { generator.follow(device_, &scalars()->step); }
  const kernel::AdamScalars* adam() const { return &scalars()->adam; }

 private:
  struct alignas(8) Scalars {
    uint64_t step;
    kernel::AdamScalars adam;
  };
  const Scalars* scalars() const { return reinterpret_cast<const Scalars*>(device_.data()); }

  std::vector<char> host_;
  Tensor device_;
  std::span<const int64_t> items_;
};

}  // namespace melgrad
