// What the kernel tests share: inputs from a counter, device memory, and comparison with a double-precision reference.
#pragma once

#include <gtest/gtest.h>
#include <omp.h>

#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/device/philox.h"
#include "kernels/device/stream.h"

namespace melgrad::reference {

// Values in [-1, 1) that depend on `seed` and the index alone.
inline std::vector<float> random_values(int64_t n, uint64_t seed) {
  std::vector<float> values(static_cast<size_t>(n));
  for (size_t i = 0; i < values.size(); ++i) values[i] = 2 * uniform(philox(seed, i, 0).v[0]) - 1;
  return values;
}

// An array in the memory of a device, NaN or garbage until written.
template <class T>
class DeviceArray {
 public:
  explicit DeviceArray(int64_t n, Device device = Device::cpu)
      : stream_(Stream::of(device)),
        n_(static_cast<size_t>(n)),
        data_(static_cast<T*>(stream_.allocate(n_ * sizeof(T)))) {}
  explicit DeviceArray(const std::vector<T>& values, Device device = Device::cpu)
      : DeviceArray(static_cast<int64_t>(values.size()), device) {
    stream_.copy(data_, values.data(), n_ * sizeof(T));
  }
  ~DeviceArray() { stream_.release(data_); }
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;

  operator T*() const { return data_; }  // NOLINT(google-explicit-constructor): stands for the pointer
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

// A device's step counter and the draws keyed by it.
struct Randomness {
  DeviceArray<uint64_t> step;
  RandomStream stream;

  Randomness(uint64_t seed, uint64_t step_value, uint32_t stream_index, Device device = Device::cpu)
      : step(std::vector{step_value}, device), stream{seed, step, stream_index} {}
};

// Draws that differ in the seed, the step or the stream, the first of them twice: expects `body`, given each, to
// repeat itself once and to differ otherwise.
template <class Body>
void expect_determined_by_seed_step_and_stream(Body body) {
  const auto first = body(Randomness(1, 2, 3).stream);
  EXPECT_EQ(body(Randomness(1, 2, 3).stream), first);
  EXPECT_NE(body(Randomness(9, 2, 3).stream), first);
  EXPECT_NE(body(Randomness(1, 9, 3).stream), first);
  EXPECT_NE(body(Randomness(1, 2, 9).stream), first);
}

// |actual - expected| <= atol + rtol * |expected| for every element; the first that is not is reported.
template <class Expected>
void expect_close(std::span<const float> actual, const std::vector<Expected>& expected, double rtol, double atol) {
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    const double e = static_cast<double>(expected[i]), difference = std::abs(static_cast<double>(actual[i]) - e);
    ASSERT_TRUE(difference <= atol + rtol * std::abs(e)) << "element " << i << ": " << actual[i] << ", not " << e;
  }
}

// Runs body() with 1, 2, 4 and 8 threads and expects the same vector each time, to the bit.
template <class Body>
void expect_same_bits_at_any_thread_count(Body body) {
  const int threads = omp_get_max_threads();
  omp_set_num_threads(1);
  const auto expected = body();
  for (const int count : {2, 4, 8}) {
    omp_set_num_threads(count);
    EXPECT_EQ(body(), expected) << count << " threads";
  }
  omp_set_num_threads(threads);
}

}  // namespace melgrad::reference
