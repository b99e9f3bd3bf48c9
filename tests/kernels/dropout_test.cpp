#include "kernels/dropout.h"

#include <algorithm>
#include <numeric>

#include "tests/support/kernel_test.h"

namespace melgrad::test {
namespace {

// `random` must be of the same device.
std::vector<float> dropped(const std::vector<float>& x, float probability, const RandomStream& random,
                           Device device = Device::cpu, DType dtype = DType::float32) {
  Stream& stream = Stream::of(device);
  const auto n = static_cast<int64_t>(x.size());
  const Array in(stream, x, dtype), y(stream, n, dtype);
  kernel::dropout(stream, in.data(), y.data(), dtype, n, probability, random);
  return y.values();
}

TEST(DropoutKernel, DropsTheGivenShareAndKeepsTheMean) {
  const std::vector<float> ones(1000003, 1.0f);
  for (const float probability : {0.1f, 0.5f, 0.9f}) {
    const auto y = dropped(ones, probability, Randomness(7, 11, 13).stream);
    const double n = static_cast<double>(y.size()), p = static_cast<double>(probability);
    const double zeros = static_cast<double>(std::count(y.begin(), y.end(), 0.0f));
    EXPECT_NEAR(zeros / n, p, 5 * std::sqrt(p * (1 - p) / n));
    EXPECT_NEAR(std::accumulate(y.begin(), y.end(), 0.0) / n, 1, 5 * std::sqrt(p / (1 - p) / n));
  }
}

TEST(DropoutKernel, KeepsWhereTheUniformDrawReachesTheProbability) {
  for (const int64_t n : {1, 2, 3, 4, 31, 33, 10007}) {
    const Randomness random(5, 3, 1);
    const auto x = random_values(n, 1), y = dropped(x, 0.25f, random.stream);
    for (size_t i = 0; i < x.size(); ++i) {
      const bool kept = uniform(random.stream.draw(i / 4).v[i % 4]) >= 0.25f;
      EXPECT_EQ(y[i], kept ? x[i] * (1 / 0.75f) : 0.0f) << i;
    }
  }
}

// Dropping the elements from `first` on gives the end of dropping all.
TEST(DropoutKernel, DropsPartsAsTheWhole) {
  const auto x = random_values(1009, 1);
  for (const Device device : available_devices()) {
    const Randomness random(5, 3, 1, device);
    const auto whole = dropped(x, 0.3f, random.stream, device);
    for (const size_t first : {0, 1, 2, 3, 4, 8, 31, 512}) {
      RandomStream of_part = random.stream;
      of_part.first = first;
      const auto begin = static_cast<ptrdiff_t>(first);
      const auto part = dropped({x.begin() + begin, x.end()}, 0.3f, of_part, device);
      expect_same_bits(part, std::vector<float>(whole.begin() + begin, whole.end()));
    }
  }
}

TEST(DropoutKernel, ZeroProbabilityIsTheIdentity) {
  const auto x = random_values(33, 1);
  EXPECT_EQ(dropped(x, 0, Randomness(1, 1, 1).stream), x);
}

TEST(DropoutKernel, RefusesToDropEverything) {
  for (const Device device : available_devices()) {
    const DeviceVector<float> x(Stream::of(device), 3);
    const Randomness random(1, 1, 1, device);
    EXPECT_THROW(kernel::dropout(Stream::of(device), x, x, DType::float32, 3, 1, random.stream), Error);
  }
}

TEST(DropoutKernel, IsDeterminedBySeedStepAndStream) {
  const auto x = random_values(100, 1);
  expect_determined_by_seed_step_and_stream([&](const RandomStream& r) { return dropped(x, 0.5f, r); });
}

TEST(DropoutKernel, CudaGivesTheSameBitsAsTheCpu) {
  MELGRAD_SKIP_WITHOUT_CUDA();
  const Randomness random(5, 3, 1), device_random(5, 3, 1, Device::cuda);
  for (const DType dtype : activation_dtypes) {
    for (const int64_t n : {0, 1, 2, 31, 33, 516, 1016, 4099}) {
      const auto x = rounded(random_values(n, 1), dtype);
      const auto on_cuda = [&] { return dropped(x, 0.3f, device_random.stream, Device::cuda, dtype); };
      expect_same_bits(in_every_order(on_cuda), rounded(dropped(x, 0.3f, random.stream), dtype));
    }
  }
}

// The arrays are not aligned to the 16 bytes of a vector load.
TEST(DropoutKernel, CudaTakesUnalignedArrays) {
  MELGRAD_SKIP_WITHOUT_CUDA();
  Stream& stream = Stream::of(Device::cuda);
  const Randomness random(5, 3, 1), device_random(5, 3, 1, Device::cuda);
  const auto x = random_values(1009, 1);
  const Array in(stream, x), y(stream, std::vector<float>(1009, 7.0f));
  kernel::dropout(stream, in.at(1), y.at(1), DType::float32, 1008, 0.3f, device_random.stream);
  std::vector<float> expected = dropped({x.begin() + 1, x.end()}, 0.3f, random.stream);
  expected.insert(expected.begin(), 7);
  expect_same_bits(y.values(), expected);
}

TEST(DropoutKernel, GivesTheSameBitsAtAnyThreadCount) {
  const auto x = random_values(100003, 1);
  expect_same_bits_at_any_thread_count([&] { return dropped(x, 0.5f, Randomness(1, 2, 3).stream); });
}

}  // namespace
}  // namespace melgrad::test
