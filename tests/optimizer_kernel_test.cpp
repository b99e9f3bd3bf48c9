#include <limits>
#include <memory>

#include "kernels/adam.h"
#include "kernels/gradient_norm.h"
#include "tests/reference.h"

namespace melgrad {
namespace {

using reference::DeviceArray;
using reference::expect_close;
using reference::random_values;

// The norm and the scale of gradients of these sizes.
std::vector<float> norm_and_scale(const std::vector<std::vector<float>>& gradients, float max_norm) {
  std::vector<std::unique_ptr<DeviceArray<float>>> arrays;
  std::vector<kernel::GradientSlot> slots;
  for (const auto& gradient : gradients) {
    arrays.push_back(std::make_unique<DeviceArray<float>>(gradient));
    slots.push_back({*arrays.back(), static_cast<int64_t>(gradient.size())});
  }
  const DeviceArray<kernel::GradientSlot> device_slots(slots);
  const DeviceArray<float> norm(1), scale(1);
  kernel::gradient_norm(Stream::of(Device::cpu), device_slots, static_cast<int64_t>(slots.size()), max_norm, norm,
                        scale);
  return {norm.values()[0], scale.values()[0]};
}

TEST(GradientNormKernel, ClipsAsPyTorchDoes) {
  expect_close<double>(norm_and_scale({{3}, {4}}, 1), {5, 1 / (5 + 1e-6)}, 1e-7, 0);
  EXPECT_EQ(norm_and_scale({{3}, {4}}, 10), (std::vector{5.0f, 1.0f}));
  EXPECT_EQ(norm_and_scale({{3}, {4}}, 0), (std::vector{5.0f, 1.0f}));
}

TEST(GradientNormKernel, AgreesWithTheDefinitionOnOddSizes) {
  std::vector<std::vector<float>> gradients;
  double squares = 0;
  for (const int64_t n : {1, 31, 33, 7, 40009}) {
    gradients.push_back(random_values(n, static_cast<uint64_t>(n)));
    for (const float value : gradients.back()) squares += static_cast<double>(value) * static_cast<double>(value);
  }
  const double norm = std::sqrt(squares);
  expect_close<double>(norm_and_scale(gradients, 0.5f), {norm, 0.5 / (norm + 1e-6)}, 1e-6, 0);
}

TEST(GradientNormKernel, ShowsANonFiniteGradient) {
  EXPECT_TRUE(std::isnan(norm_and_scale({{1, std::numeric_limits<float>::quiet_NaN()}}, 1)[0]));
  EXPECT_TRUE(std::isinf(norm_and_scale({{std::numeric_limits<float>::infinity()}}, 1)[0]));
}

TEST(GradientNormKernel, RepeatsToTheBitAtAnyThreadCount) {
  const std::vector gradients{random_values(100003, 1), random_values(33, 2)};
  reference::expect_same_bits_at_any_thread_count([&] { return norm_and_scale(gradients, 1); });
}

// The state of one parameter tensor, and steps of Adam on it.
struct Optimized {
  DeviceArray<float> parameter, first_moment, second_moment;
  int step = 0;

  explicit Optimized(const std::vector<float>& start)
      : parameter(start),
        first_moment(std::vector<float>(start.size())),
        second_moment(std::vector<float>(start.size())) {}

  void adam(const std::vector<float>& gradient, bool decoupled_weight_decay, const float* gradient_scale = nullptr) {
    constexpr double beta1 = 0.9, beta2 = 0.99;
    ++step;
    const DeviceArray<float> device_gradient(gradient);
    const DeviceArray<kernel::AdamSlot> slots(std::vector<kernel::AdamSlot>{
        {parameter, device_gradient, first_moment, second_moment, static_cast<int64_t>(gradient.size()), 0.1f}});
    const DeviceArray<kernel::AdamScalars> scalars(std::vector<kernel::AdamScalars>{
        {0.01f, static_cast<float>(1 - std::pow(beta1, step)), static_cast<float>(1 - std::pow(beta2, step))}});
    kernel::adam_step(Stream::of(Device::cpu), slots, 1, scalars, gradient_scale, static_cast<float>(beta1),
                      static_cast<float>(beta2), 1e-8f, decoupled_weight_decay);
  }
  // parameter, first moment and second moment one after the other.
  std::vector<float> state() const {
    std::vector<float> all;
    for (const auto* part : {&parameter, &first_moment, &second_moment}) {
      const auto values = part->values();
      all.insert(all.end(), values.begin(), values.end());
    }
    return all;
  }
};

const std::vector<float> start{1, -2, 0.5f};
const std::vector<std::vector<float>> gradients{{0.5f, -1, 0.001f}, {-0.25f, 2, 0}, {1, 0.125f, -0.002f}};

std::vector<float> after_three_steps(bool decoupled_weight_decay) {
  Optimized optimized(start);
  for (const auto& gradient : gradients) optimized.adam(gradient, decoupled_weight_decay);
  return optimized.state();
}

// torch.optim.Adam and AdamW, lr=0.01, betas=(0.9, 0.99), eps=1e-8, weight_decay=0.1: parameter, exp_avg, exp_avg_sq
TEST(AdamKernel, AgreesWithPyTorchsAdam) {
  expect_close<double>(
      after_three_steps(false),
      {0.9779858589172363, -1.9941760301589966, 0.470053106546402, 0.144863098859787, 0.05746522545814514,
       0.013141115196049213, 0.0158217940479517, 0.04628021642565727, 7.042336073936895e-05},
      1e-5, 1e-8);
}

TEST(AdamKernel, AgreesWithPyTorchsAdamW) {
  expect_close<double>(
      after_three_steps(true),
      {0.9777945876121521, -1.9908636808395386, 0.48520368337631226, 0.11800000071525574, 0.11149999499320984,
       -0.00011900001118192449, 0.013069000095129013, 0.04955724999308586, 4.98010059857279e-08},
      1e-5, 1e-8);
}

TEST(AdamKernel, ScalesTheGradient) {
  Optimized scaled(start), halved(start);
  const DeviceArray<float> half(std::vector{0.5f});
  scaled.adam({2, 4, 6}, true, half);
  halved.adam({1, 2, 3}, true);
  EXPECT_EQ(scaled.state(), halved.state());
}

TEST(AdamKernel, RepeatsToTheBitAtAnyThreadCount) {
  reference::expect_same_bits_at_any_thread_count([] {
    Optimized optimized(random_values(100003, 1));
    optimized.adam(random_values(100003, 2), false);
    return optimized.state();
  });
}

}  // namespace
}  // namespace melgrad
