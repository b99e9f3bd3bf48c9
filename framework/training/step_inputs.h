// What changes from one training step to the next, in the memory of the device: the items of the batch, the step of the
// random numbers, the scalars of Adam, and the weights of the parts of the batch. One upload brings all of it.
#pragma once

#include <cstring>
#include <span>
#include <vector>

#include "framework/tensor.h"
#include "framework/training/batch_source.h"
#include "framework/training/step_parts.h"
#include "kernels/adam.h"

namespace melgrad {

class StepInputs {
 public:
  // For batches of at most `most_items` items, cut into `parts` parts (step_parts.h).
  StepInputs(Device device, int64_t most_items, int64_t parts = 1)
      : parts_(parts),
        host_(offset_of_items() + static_cast<size_t>(most_items) * sizeof(int64_t)),
        device_(Tensor::empty({static_cast<int64_t>(host_.size())}, DType::uint8, device)) {}

  // `items` must stay valid as long as items() is used.
  void upload(std::span<const int64_t> items, uint64_t step, const kernel::AdamScalars& adam) {
    const Scalars scalars{step, adam};
    const size_t bytes = offset_of_items() + items.size_bytes();
    MELGRAD_CHECK(bytes <= host_.size(), "a batch of {} items is larger than announced", items.size());
    std::memcpy(host_.data(), &scalars, sizeof scalars);
    for (int64_t i = 0; i < parts_; ++i) {
      const float weight = static_cast<float>(part(i, items).count) / static_cast<float>(items.size());
      std::memcpy(host_.data() + offset_of_weight(i), &weight, sizeof weight);
    }
    std::memcpy(host_.data() + offset_of_items(), items.data(), items.size_bytes());
    device_.stream().copy(device_.data(), host_.data(), bytes);
    items_ = items;
  }

  BatchItems items() const { return items({.first = 0, .count = static_cast<int64_t>(items_.size())}); }
  // A part of the uploaded batch.
  StepPart part(int64_t index) const { return part(index, items_); }
  BatchItems items(const StepPart& part) const {
    const auto* on_device = reinterpret_cast<const int64_t*>(device_.as<char>() + offset_of_items());
    return {items_.subspan(static_cast<size_t>(part.first), static_cast<size_t>(part.count)), on_device + part.first};
  }
  // The share of a part of the examples, in device memory.
  const float* weight(int64_t index) const {
    return reinterpret_cast<const float*>(device_.as<char>() + offset_of_weight(index));
  }
  // Makes the draws of the generator belong to the uploaded step and the part.
  void lead(Generator& generator, const StepPart& part) const {
    generator.follow(device_, &scalars()->step);
    generator.begin_part(part.first);
  }
  const kernel::AdamScalars* adam() const { return &scalars()->adam; }

 private:
  struct alignas(8) Scalars {
    uint64_t step;
    kernel::AdamScalars adam;
  };
  const Scalars* scalars() const { return reinterpret_cast<const Scalars*>(device_.data()); }
  StepPart part(int64_t index, std::span<const int64_t> items) const {
    return part_of_batch(static_cast<int64_t>(items.size()), index, parts_);
  }
  static size_t offset_of_weight(int64_t index) { return sizeof(Scalars) + static_cast<size_t>(index) * sizeof(float); }
  size_t offset_of_items() const { return offset_of_weight(parts_ + parts_ % 2); }  // a multiple of 8

  int64_t parts_;
  std::vector<char> host_;
  Tensor device_;
  std::span<const int64_t> items_;
};

}  // namespace melgrad
