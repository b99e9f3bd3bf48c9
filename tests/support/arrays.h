// Arrays in the memory of a device, freed at the end of their scope.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "kernels/device/dtype.h"
#include "kernels/device/low_precision.h"
#include "kernels/device/stream.h"

namespace melgrad::test {

// The dtypes of activations and of their gradients.
inline constexpr DType activation_dtypes[] = {DType::float32, DType::bfloat16, DType::float16};

// The values as an array of `dtype` holds them.
inline std::vector<float> rounded(std::vector<float> values, DType dtype) {
  dispatch_type(dtype, [&]<class T>() {
    for (float& value : values) value = to_float(from_float<T>(value));
  });
  return values;
}

// The values with the 11 bits of precision that TF32 keeps.
inline std::vector<float> rounded_to_tf32(std::vector<float> values) {
  for (float& value : values) {
    const auto bits = std::bit_cast<uint32_t>(value);
    value = std::bit_cast<float>((bits + 0x1000) & 0xffffe000);
  }
  return values;
}

// The arrays that a kernel wrote.
using Results = std::vector<std::vector<float>>;

inline Results rounded(Results results, DType dtype) {
  for (std::vector<float>& values : results) values = rounded(std::move(values), dtype);
  return results;
}

// Values of a type known at compile time. Uninitialised unless values are given; NaN on the emulated device.
template <class T>
class DeviceVector {
 public:
  DeviceVector(Stream& stream, int64_t n)
      : stream_(stream), n_(static_cast<size_t>(n)), data_(static_cast<T*>(stream.allocate(n_ * sizeof(T)))) {}
  DeviceVector(Stream& stream, const std::vector<T>& values)
      : DeviceVector(stream, static_cast<int64_t>(values.size())) {
    stream_.copy(data_, values.data(), n_ * sizeof(T));
  }
  ~DeviceVector() { stream_.release(data_); }
  DeviceVector(const DeviceVector&) = delete;
  DeviceVector& operator=(const DeviceVector&) = delete;

  operator T*() const { return data_; }  // NOLINT(google-explicit-constructor): kernels take pointers
  std::vector<T> values() const {
    std::vector<T> values(n_);
    stream_.copy(values.data(), data_, n_ * sizeof(T));
    return values;
  }

 private:
  Stream& stream_;
  size_t n_;
  T* data_;
};

// Numbers of a dtype chosen at run time, exchanged with the host as float32.
class Array {
 public:
  Array(Stream& stream, int64_t n, DType dtype = DType::float32)
      : dtype_(dtype), bytes_(stream, n * static_cast<int64_t>(size_of(dtype))) {}
  Array(Stream& stream, const std::vector<float>& values, DType dtype = DType::float32)
      : dtype_(dtype), bytes_(stream, narrowed(values, dtype)) {}

  void* data() const { return bytes_; }
  void* at(size_t element) const { return bytes_ + element * size_of(dtype_); }
  float* floats() const { return static_cast<float*>(data()); }
  std::vector<float> values() const { return widened(bytes_.values(), dtype_); }

 private:
  static std::vector<char> narrowed(const std::vector<float>& values, DType dtype) {
    std::vector<char> bytes(values.size() * size_of(dtype));
    dispatch_type(dtype, [&]<class T>() {
      for (size_t i = 0; i < values.size(); ++i) {
        const T narrow = from_float<T>(values[i]);
        std::memcpy(bytes.data() + i * sizeof narrow, &narrow, sizeof narrow);
      }
    });
    return bytes;
  }
  static std::vector<float> widened(const std::vector<char>& bytes, DType dtype) {
    std::vector<float> values(bytes.size() / size_of(dtype));
    dispatch_type(dtype, [&]<class T>() {
      for (size_t i = 0; i < values.size(); ++i) {
        T narrow;
        std::memcpy(&narrow, bytes.data() + i * sizeof narrow, sizeof narrow);
        values[i] = to_float(narrow);
      }
    });
    return values;
  }

  DType dtype_;
  DeviceVector<char> bytes_;
};

}  // namespace melgrad::test
