// Random numbers that depend on a seed and an index only (Philox), so that every run draws the same.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <numbers>
#include <vector>

#include "kernels/device/philox.h"
#include "tests/support/arrays.h"

namespace melgrad::test {

// n values, uniform on [shift - scale, shift + scale): shift + scale * value(seed, i) of tests/fixtures/values.py,
// computed in double precision and rounded to float32.
// With scale 1 the values are multiples of 2^-23, so that float32 sums up to 2 are exact: use unit_deviation where
// rounding or the order of a sum is tested.
inline std::vector<float> random_values(int64_t n, uint64_t seed, double scale = 1, double shift = 0) {
  std::vector<float> values(static_cast<size_t>(n));
  for (size_t i = 0; i < values.size(); ++i) {
    const double value = 2 * static_cast<double>(uniform(philox(seed, i, 0).v[0])) - 1;
    values[i] = static_cast<float>(shift + scale * value);
  }
  return values;
}

// The scale that gives random_values a standard deviation of 1.
inline constexpr double unit_deviation = std::numbers::sqrt3;

// A step counter in the memory of a device, and the random stream that reads it.
struct Randomness {
  DeviceVector<uint64_t> step;
  RandomStream stream;

  Randomness(uint64_t seed, uint64_t step_value, uint32_t stream_index, Device device = Device::cpu)
      : step(Stream::of(device), std::vector{step_value}), stream{seed, step, stream_index} {}
};

// Expects body(RandomStream) to return the same for the same (seed, step, stream), and something else when any of the
// three differs.
template <class Body>
void expect_determined_by_seed_step_and_stream(Body body) {
  const auto first = body(Randomness(1, 2, 3).stream);
  EXPECT_EQ(body(Randomness(1, 2, 3).stream), first);
  EXPECT_NE(body(Randomness(9, 2, 3).stream), first);
  EXPECT_NE(body(Randomness(1, 9, 3).stream), first);
  EXPECT_NE(body(Randomness(1, 2, 9).stream), first);
}

}  // namespace melgrad::test
