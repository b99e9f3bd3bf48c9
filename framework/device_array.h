// An array of plain structs or numbers in a device's memory.
#pragma once

#include <span>
#include <type_traits>

#include "framework/tensor.h"

namespace melgrad {

template <class T>
class DeviceArray {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  DeviceArray() = default;
  DeviceArray(size_t count, Device device)
      : bytes_(Tensor::empty({static_cast<int64_t>(count * sizeof(T))}, DType::uint8, device)) {}
  DeviceArray(std::span<const T> values, Device device) : DeviceArray(values.size(), device) { assign(values); }

  void assign(std::span<const T> values) { bytes_.stream().copy(bytes_.data(), values.data(), values.size_bytes()); }
  T* data() const { return bytes_.as<T>(); }
  int64_t size() const { return bytes_.numel() / static_cast<int64_t>(sizeof(T)); }

 private:
  Tensor bytes_;
};

}  // namespace melgrad
