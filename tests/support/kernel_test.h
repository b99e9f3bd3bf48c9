// What the kernel tests share: arrays on a device, random numbers, and the three ways a CUDA kernel is examined - in
// both dtypes, in every order the emulator knows, and to the same bits each time.
#pragma once

#include <gtest/gtest.h>
#include <omp.h>

#include <cstring>
#include <random>
#include <span>
#include <vector>

#include "kernels/device/bfloat16.h"
#include "kernels/device/dtype.h"
#include "kernels/device/stream.h"

#if MELGRAD_EMULATED
#include "kernels/device/emulated/order.h"
#endif

namespace melgrad::test {

inline std::vector<float> random_values(int64_t n, unsigned seed, float mean = 0, float deviation = 1) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> distribution(mean, deviation);
  std::vector<float> values(static_cast<size_t>(n));
  for (float& value : values) value = distribution(generator);
  return values;
}

// The values as an array of `dtype` holds them.
inline std::vector<float> rounded(std::vector<float> values, DType dtype) {
  if (dtype == DType::bfloat16) {
    for (float& value : values) value = to_float(from_float<bfloat16>(value));
  }
  return values;
}

// Memory of a stream, released at the end of the scope.
class Block {
 public:
  Block(Stream& stream, size_t bytes) : stream_(stream), bytes_(bytes), memory_(stream.allocate(bytes)) {}
  ~Block() { stream_.release(memory_); }
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  void* get() const { return memory_; }
  template <class T>
  T* as() const {
    return static_cast<T*>(memory_);
  }
  template <class T>
  void upload(std::span<const T> values) {
    stream_.copy(memory_, values.data(), values.size_bytes());
  }
  template <class T>
  std::vector<T> download() const {
    std::vector<T> values(bytes_ / sizeof(T));
    stream_.copy(values.data(), memory_, bytes_);
    return values;
  }

 private:
  Stream& stream_;
  size_t bytes_;
  void* memory_;
};

// n numbers of one dtype.
class Array {
 public:
  Array(Stream& stream, int64_t n, DType dtype = DType::float32)
      : dtype_(dtype), block_(stream, static_cast<size_t>(n) * size_of(dtype)) {}
  Array(Stream& stream, const std::vector<float>& values, DType dtype = DType::float32)
      : Array(stream, static_cast<int64_t>(values.size()), dtype) {
    if (dtype == DType::float32) {
      block_.upload(std::span(values));
    } else {
      std::vector<bfloat16> narrow;
      for (const float value : values) narrow.push_back(from_float<bfloat16>(value));
      block_.upload(std::span<const bfloat16>(narrow));
    }
  }

  void* data() const { return block_.get(); }
  void* at(size_t element) const { return block_.as<char>() + element * size_of(dtype_); }
  float* floats() const { return block_.as<float>(); }
  std::vector<float> values() const {
    if (dtype_ == DType::float32) return block_.download<float>();
    std::vector<float> wide;
    for (const bfloat16 value : block_.download<bfloat16>()) wide.push_back(to_float(value));
    return wide;
  }

 private:
  DType dtype_;
  Block block_;
};

// What a kernel wrote, array by array.
using Results = std::vector<std::vector<float>>;

inline void expect_near(const Results& actual, const Results& expected, float relative, float absolute) {
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t k = 0; k < actual.size(); ++k) {
    ASSERT_EQ(actual[k].size(), expected[k].size());
    for (size_t i = 0; i < actual[k].size(); ++i) {
      // Not EXPECT_NEAR: a NaN must fail.
      ASSERT_TRUE(std::abs(actual[k][i] - expected[k][i]) <= absolute + relative * std::abs(expected[k][i]))
          << "result " << k << ", element " << i << ": " << actual[k][i] << " instead of " << expected[k][i];
    }
  }
}

inline void expect_same_bits(const Results& actual, const Results& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t k = 0; k < actual.size(); ++k) {
    ASSERT_EQ(actual[k].size(), expected[k].size());
    const size_t bytes = actual[k].size() * sizeof(float);
    ASSERT_TRUE(bytes == 0 || std::memcmp(actual[k].data(), expected[k].data(), bytes) == 0) << "result " << k;
  }
}

inline Results rounded(Results results, DType dtype) {
  for (auto& result : results) result = rounded(std::move(result), dtype);
  return results;
}

// run() on the CPU with 1, 2, 4 and 8 threads.
template <class Run>
void expect_same_bits_at_any_thread_count(Run run) {
  const int before = omp_get_max_threads();
  omp_set_num_threads(1);
  const Results expected = run();
  for (const int threads : {2, 4, 8}) {
    SCOPED_TRACE(threads);
    omp_set_num_threads(threads);
    expect_same_bits(run(), expected);
  }
  omp_set_num_threads(before);
}

// run() on the CUDA device: in every order, when it is emulated. All must give the same bits, which are returned.
template <class Run>
Results in_every_order(Run run) {
#if MELGRAD_EMULATED
  const emulated_cuda::Order before = emulated_cuda::current_order();
  Results first;
  for (const emulated_cuda::Order order : emulated_cuda::all_orders) {
    emulated_cuda::set_order(order);
    Results results = run();
    if (order == emulated_cuda::all_orders[0]) first = results;
    expect_same_bits(results, first);
  }
  emulated_cuda::set_order(before);
  return first;
#else
  Results first = run();
  expect_same_bits(run(), first);
  return first;
#endif
}

// For what must hold on each device alike.
inline std::vector<Device> available_devices() {
  std::vector<Device> devices{Device::cpu};
  if (Stream::available(Device::cuda)) devices.push_back(Device::cuda);
  return devices;
}

inline constexpr DType activation_dtypes[] = {DType::float32, DType::bfloat16};

// How far a value may be off that was computed in float32 and stored as `dtype`: bfloat16 rounds to 8 bits.
inline float tolerance(DType dtype, float in_float32) { return dtype == DType::float32 ? in_float32 : 0x1p-8f; }

}  // namespace melgrad::test

#define MELGRAD_SKIP_WITHOUT_CUDA()                           \
  if (!::melgrad::Stream::available(::melgrad::Device::cuda)) \
  GTEST_SKIP() << "no CUDA device, not even an emulated "     \
                  "one"
