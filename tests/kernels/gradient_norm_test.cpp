#include "kernels/gradient_norm.h"

#include <cmath>
#include <limits>
#include <memory>

#include "tests/support/device_chunks.h"
#include "tests/support/kernel_test.h"

namespace melgrad::test {
namespace {

// The norm and the scale of gradients, each of which begins `offset` elements into its array.
std::vector<float> norm_and_scale(const std::vector<std::vector<float>>& gradients, float max_norm,
                                  Device device = Device::cpu, DType dtype = DType::float32, size_t offset = 0) {
  Stream& stream = Stream::of(device);
  std::vector<std::unique_ptr<Array>> arrays;
  std::vector<kernel::GradientSlot> slots;
  std::vector<int64_t> sizes;
  for (std::vector<float> gradient : gradients) {
    sizes.push_back(static_cast<int64_t>(gradient.size()));
    gradient.insert(gradient.begin(), offset, 1000);
    arrays.push_back(std::make_unique<Array>(stream, gradient, dtype));
    slots.push_back({arrays.back()->at(offset), sizes.back(), dtype});
  }
  const DeviceVector<kernel::GradientSlot> device_slots(stream, slots);
  const DeviceChunks chunks(sizes, stream);
  const DeviceVector<float> norm(stream, 1), scale(stream, 1);
  kernel::gradient_norm(stream, device_slots, static_cast<int64_t>(slots.size()), chunks.table, max_norm, norm, scale);
  return {norm.values()[0], scale.values()[0]};
}

TEST(GradientNormKernel, ClipsAsPyTorchDoes) {
  for (const Device device : available_devices()) {
    expect_close<double>(norm_and_scale({{3}, {4}}, 1, device), {5, 1 / (5 + 1e-6)}, 1e-7, 0);
    EXPECT_EQ(norm_and_scale({{3}, {4}}, 10, device), (std::vector{5.0f, 1.0f}));
    EXPECT_EQ(norm_and_scale({{3}, {4}}, 0, device), (std::vector{5.0f, 1.0f}));
  }
}

std::vector<std::vector<float>> gradients_of_odd_sizes() {
  std::vector<std::vector<float>> gradients;
  for (const int64_t n : {1, 31, 0, 33, 7, 40009}) gradients.push_back(random_values(n, static_cast<uint64_t>(n)));
  return gradients;
}

TEST(GradientNormKernel, AgreesWithTheDefinitionOnOddSizes) {
  for (const DType dtype : activation_dtypes) {
    double squares = 0;
    for (const auto& gradient : gradients_of_odd_sizes()) {
      for (const float value : rounded(gradient, dtype)) {
        squares += static_cast<double>(value) * static_cast<double>(value);
      }
    }
    const std::vector<double> expected{std::sqrt(squares), 0.5 / (std::sqrt(squares) + 1e-6)};
    for (const Device device : available_devices()) {
      for (const size_t offset : {0, 1}) {
        expect_close(norm_and_scale(gradients_of_odd_sizes(), 0.5f, device, dtype, offset), expected, 1e-6, 0);
      }
    }
  }
}

TEST(GradientNormKernel, CudaGivesTheSameBitsInEveryRun) {
  MELGRAD_SKIP_WITHOUT_CUDA();
  in_every_order([] { return Results{norm_and_scale(gradients_of_odd_sizes(), 0.5f, Device::cuda)}; });
}

TEST(GradientNormKernel, IsZeroWithoutGradients) {
  for (const Device device : available_devices()) {
    EXPECT_EQ(norm_and_scale({{}}, 1, device), (std::vector{0.0f, 1.0f}));
  }
}

TEST(GradientNormKernel, ShowsANonFiniteGradient) {
  for (const Device device : available_devices()) {
    EXPECT_TRUE(std::isnan(norm_and_scale({{1, std::numeric_limits<float>::quiet_NaN()}}, 1, device)[0]));
    EXPECT_TRUE(std::isinf(norm_and_scale({{std::numeric_limits<float>::infinity()}}, 1, device)[0]));
  }
}

TEST(GradientNormKernel, GivesTheSameBitsAtAnyThreadCount) {
  const std::vector gradients{random_values(100003, 1), random_values(33, 2)};
  expect_same_bits_at_any_thread_count([&] { return norm_and_scale(gradients, 1); });
}

}  // namespace
}  // namespace melgrad::test
