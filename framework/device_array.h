// Arrays of plain structs or integers in a device's memory, held as a tensor so that they are freed like one.
#pragma once

#include <span>
#include <type_traits>

#include "framework/tensor.h"

namespace melgrad {

template <class T>
class DeviceArray {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) % sizeof(float) == 0);

 public:
  DeviceArray() = default;
  DeviceArray(size_t count, Device device)
      : values_(Tensor::empty({static_cast<int64_t>(count * sizeof(T) / sizeof(float))}, DType::float32, device)) {}
  DeviceArray(std::span<const T> values, Device device) : DeviceArray(values.size(), device) { assign(values); }

  void assign(std::span<const T> values) { values_.stream().copy(values_.data(), values.data(), values.size_bytes()); }
  T* data() const { return values_.as<T>(); }
  int64_t size() const {
    return values_.numel() * static_cast<int64_t>(sizeof(float)) / static_cast<int64_t>(sizeof(T));
  }

 private:
  Tensor values_;
};

}  // namespace melgrad
