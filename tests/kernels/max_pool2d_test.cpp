#include "kernels/max_pool2d.h"

#include <cmath>
#include <limits>

#include "tests/support/kernel_test.h"

namespace melgrad::test {
namespace {

using kernel::Pool2d;

int64_t inputs(const Pool2d& p) { return p.batch * p.height * p.width * p.channels; }
int64_t outputs(const Pool2d& p) { return p.batch * p.out_height() * p.out_width() * p.channels; }

// Returns y, the positions taken, dx.
Results pool(Device device, const std::vector<float>& x, const std::vector<float>& dy, DType dtype, const Pool2d& p) {
  Stream& stream = Stream::of(device);
  const Array in(stream, x, dtype), d_out(stream, dy, dtype), out(stream, outputs(p), dtype);
  const Array d_in(stream, inputs(p), dtype);
  const DeviceVector<uint8_t> taken(stream, outputs(p));
  kernel::max_pool2d_forward(stream, in.data(), out.data(), taken, dtype, p);
  kernel::max_pool2d_backward(stream, d_out.data(), taken, d_in.data(), dtype, p);
  const auto positions = taken.values();
  return {out.values(), {positions.begin(), positions.end()}, d_in.values()};
}

// The same results by the definition: an output is the largest input of its window, and its gradient goes to the first
// input with that value.
Results reference(const std::vector<float>& x, const std::vector<float>& dy, const Pool2d& p) {
  Results results(3);
  std::vector<double> dx(x.size());
  for (int64_t o = 0; o < outputs(p); ++o) {
    const int64_t c = o % p.channels, column = o / p.channels % p.out_width();
    const int64_t row = o / (p.channels * p.out_width()) % p.out_height();
    const int64_t sample = o / (p.channels * p.out_width() * p.out_height());
    float largest = -std::numeric_limits<float>::infinity();
    int64_t source = -1, position = -1;
    for (int64_t i = 0; i < p.kernel_size * p.kernel_size; ++i) {
      const int64_t h = row * p.stride - p.padding + i / p.kernel_size,
                    w = column * p.stride - p.padding + i % p.kernel_size;
      if (h < 0 || h >= p.height || w < 0 || w >= p.width) continue;
      const int64_t at = ((sample * p.height + h) * p.width + w) * p.channels + c;
      if (source < 0 || x[static_cast<size_t>(at)] > largest) {
        largest = x[static_cast<size_t>(at)];
        source = at;
        position = i;
      }
    }
    results[0].push_back(largest);
    results[1].push_back(static_cast<float>(position));
    dx[static_cast<size_t>(source)] += dy[static_cast<size_t>(o)];
  }
  results[2].assign(dx.begin(), dx.end());
  return results;
}

constexpr Pool2d shapes[] = {
    {.batch = 1, .height = 1, .width = 1, .channels = 1, .kernel_size = 1, .stride = 1, .padding = 0},
    {.batch = 2, .height = 31, .width = 13, .channels = 5, .kernel_size = 3, .stride = 2, .padding = 1},
    {.batch = 3, .height = 7, .width = 33, .channels = 8, .kernel_size = 2, .stride = 2, .padding = 0},
    {.batch = 1, .height = 11, .width = 5, .channels = 72, .kernel_size = 3, .stride = 1, .padding = 1},
    {.batch = 2, .height = 17, .width = 19, .channels = 3, .kernel_size = 5, .stride = 3, .padding = 2},
    {.batch = 1, .height = 9, .width = 10, .channels = 16, .kernel_size = 2, .stride = 3, .padding = 1},
};

// Small integers, so that windows have several equal maxima.
std::vector<float> with_ties(int64_t n) {
  auto values = random_values(n, 1, 3 * unit_deviation);
  for (float& value : values) value = std::round(value);
  return values;
}

TEST(MaxPool2dKernel, CpuAgreesWithTheDefinition) {
  for (const Pool2d& p : shapes) {
    const auto x = with_ties(inputs(p)), dy = random_values(outputs(p), 2, unit_deviation);
    expect_close(pool(Device::cpu, x, dy, DType::float32, p), reference(x, dy, p), 1e-6, 1e-6);
  }
}

TEST(MaxPool2dKernel, CudaAgreesWithTheDefinition) {
  MELGRAD_SKIP_WITHOUT_CUDA();
  for (const DType dtype : activation_dtypes) {
    for (const Pool2d& p : shapes) {
      const auto x = with_ties(inputs(p)), dy = rounded(random_values(outputs(p), 2, unit_deviation), dtype);
      const Results results = in_every_order([&] { return pool(Device::cuda, x, dy, dtype, p); });
      expect_close(results, reference(x, dy, p), tolerance(dtype, 1e-6), 1e-6);
    }
  }
}

TEST(MaxPool2dKernel, GivesTheSameBitsAtAnyThreadCount) {
  const auto x = random_values(inputs(shapes[1]), 1, unit_deviation);
  const auto dy = random_values(outputs(shapes[1]), 2, unit_deviation);
  expect_same_bits_at_any_thread_count([&] { return pool(Device::cpu, x, dy, DType::float32, shapes[1]); });
}

TEST(MaxPool2dKernel, PassesNaNAndInfinity) {
  const Pool2d p{.batch = 1, .height = 2, .width = 4, .channels = 1, .kernel_size = 2, .stride = 2, .padding = 0};
  const float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> x = {1, nan, -infinity, -infinity,  //
                                9, 3,   -infinity, -infinity};
  for (const Device device : available_devices()) {
    const Results results = pool(device, x, {5, 7}, DType::float32, p);
    EXPECT_TRUE(std::isnan(results[0][0]));
    EXPECT_EQ(results[0][1], -infinity);
    EXPECT_EQ(results[2], (std::vector<float>{0, 5, 7, 0, 0, 0, 0, 0}));
  }
}

TEST(MaxPool2dKernel, RefusesWindowsWithoutInput) {
  const std::vector<float> x(16);
  for (const Device device : available_devices()) {
    EXPECT_THROW(pool(device, x, x, DType::float32, {1, 4, 4, 1, 3, 1, 2}), Error);
    EXPECT_THROW(pool(device, x, x, DType::float32, {1, 4, 4, 1, 17, 1, 8}), Error);
  }
}

}  // namespace
}  // namespace melgrad::test
