#include "kernels/adam.h"

#include <array>
#include <cmath>
#include <memory>

#include "tests/support/device_chunks.h"
#include "tests/support/kernel_test.h"

namespace melgrad::test {
namespace {

// The state of one parameter tensor, and steps of Adam on it.
struct Optimized {
  Stream& stream;
  DeviceVector<float> parameter, first_moment, second_moment;
  int step = 0;

  explicit Optimized(const std::vector<float>& start, Device device = Device::cpu)
      : stream(Stream::of(device)),
        parameter(stream, start),
        first_moment(stream, std::vector<float>(start.size())),
        second_moment(stream, std::vector<float>(start.size())) {}

  void adam(const std::vector<float>& gradient, bool decoupled_weight_decay, const float* gradient_scale = nullptr) {
    constexpr double beta1 = 0.9, beta2 = 0.99;
    ++step;
    const auto n = static_cast<int64_t>(gradient.size());
    const DeviceVector<float> device_gradient(stream, gradient);
    const DeviceVector<kernel::AdamSlot> slots(
        stream, std::vector<kernel::AdamSlot>{{parameter, device_gradient, first_moment, second_moment, n, 0.1f}});
    const DeviceChunks chunks({n}, stream);
    const DeviceVector<kernel::AdamScalars> scalars(
        stream, std::vector<kernel::AdamScalars>{{0.01f, static_cast<float>(1 - std::pow(beta1, step)),
                                                  static_cast<float>(1 - std::pow(beta2, step))}});
    kernel::adam_step(stream, slots, 1, chunks.table, scalars, gradient_scale, static_cast<float>(beta1),
                      static_cast<float>(beta2), 1e-8f, decoupled_weight_decay);
  }
  // The parameter, the first moment and the second moment, one after the other.
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

// Expects this state after three steps, on each available device.
void expect_after_three_steps(bool decoupled_weight_decay, const std::vector<double>& expected) {
  for (const Device device : available_devices()) {
    Optimized optimized(start, device);
    for (const auto& gradient : gradients) optimized.adam(gradient, decoupled_weight_decay);
    expect_close(optimized.state(), expected, 1e-5, 1e-8);
  }
}

// torch.optim.Adam and AdamW, lr=0.01, betas=(0.9, 0.99), eps=1e-8, weight_decay=0.1: parameter, exp_avg, exp_avg_sq
TEST(AdamKernel, AgreesWithPyTorchsAdam) {
  expect_after_three_steps(
      false, {0.9779858589172363, -1.9941760301589966, 0.470053106546402, 0.144863098859787, 0.05746522545814514,
              0.013141115196049213, 0.0158217940479517, 0.04628021642565727, 7.042336073936895e-05});
}

TEST(AdamKernel, AgreesWithPyTorchsAdamW) {
  expect_after_three_steps(
      true, {0.9777945876121521, -1.9908636808395386, 0.48520368337631226, 0.11800000071525574, 0.11149999499320984,
             -0.00011900001118192449, 0.013069000095129013, 0.04955724999308586, 4.98010059857279e-08});
}

TEST(AdamKernel, ScalesTheGradient) {
  for (const Device device : available_devices()) {
    Optimized scaled(start, device), halved(start, device);
    const DeviceVector<float> half(Stream::of(device), std::vector{0.5f});
    scaled.adam({2, 4, 6}, true, half);
    halved.adam({1, 2, 3}, true);
    EXPECT_EQ(scaled.state(), halved.state());
  }
}

struct ManySlots {
  DType gradient_dtype;
  bool copies;
  size_t offset;  // index of each slot's first element in its arrays
};

// Two steps of parameters of many sizes. Returns, for each, the parameter, both moments and the copy in 16 bits.
Results adam_of_many_slots(Device device, const ManySlots& many) {
  Stream& stream = Stream::of(device);
  const auto floats = [&](const Array& array) { return static_cast<float*>(array.at(many.offset)); };
  const std::vector<int64_t> sizes{1, 33, 0, 4096, 31, 9001};
  std::vector<std::array<std::unique_ptr<Array>, 5>> arrays;
  std::vector<kernel::AdamSlot> slots;
  for (const int64_t n : sizes) {
    const int64_t all = n + static_cast<int64_t>(many.offset);
    std::vector<float> second = random_values(all, 4);
    for (float& value : second) value *= value;
    auto& [parameter, gradient, first_moment, second_moment, copy] = arrays.emplace_back();
    parameter = std::make_unique<Array>(stream, random_values(all, 1));
    gradient = std::make_unique<Array>(stream, random_values(all, 2), many.gradient_dtype);
    first_moment = std::make_unique<Array>(stream, random_values(all, 3));
    second_moment = std::make_unique<Array>(stream, second);
    copy = std::make_unique<Array>(stream, std::vector<float>(static_cast<size_t>(all)), many.gradient_dtype);
    slots.push_back({.parameter = floats(*parameter),
                     .gradient = gradient->at(many.offset),
                     .first_moment = floats(*first_moment),
                     .second_moment = floats(*second_moment),
                     .n = n,
                     .weight_decay = 0.01f * static_cast<float>(slots.size()),
                     .gradient_dtype = many.gradient_dtype});
    if (many.copies) slots.back().copy = copy->at(many.offset);
  }
  const DeviceVector<kernel::AdamSlot> device_slots(stream, slots);
  const DeviceChunks chunks(sizes, stream);
  const DeviceVector<float> scale(stream, std::vector{0.75f});
  for (const float bias_correction : {0.1f, 0.19f}) {
    const DeviceVector<kernel::AdamScalars> scalars(
        stream, std::vector<kernel::AdamScalars>{{0.01f, bias_correction, 0.01f * bias_correction}});
    kernel::adam_step(stream, device_slots, static_cast<int64_t>(sizes.size()), chunks.table, scalars, scale, 0.9f,
                      0.999f, 1e-8f, true);
  }
  Results results;
  for (const auto& [parameter, gradient, first_moment, second_moment, copy] : arrays) {
    for (const auto* array : {&parameter, &first_moment, &second_moment, &copy}) results.push_back((*array)->values());
  }
  return results;
}

TEST(AdamKernel, CudaAgreesWithTheCpu) {
  MELGRAD_SKIP_WITHOUT_CUDA();
  for (const DType dtype : activation_dtypes) {
    for (const ManySlots& many : {ManySlots{dtype, false, 0}, ManySlots{dtype, true, 0}, ManySlots{dtype, true, 1}}) {
      Results actual = in_every_order([&] { return adam_of_many_slots(Device::cuda, many); });
      Results expected = adam_of_many_slots(Device::cpu, many);
      for (size_t i = 0; i < actual.size(); ++i) {
        const bool copy = i % 4 == 3;
        expect_close({actual[i]}, {expected[i]}, copy ? 0x1p-7 : 2e-6, 2e-6);
      }
    }
  }
}

TEST(AdamKernel, RoundsTheNewParameterIntoTheCopy) {
  for (const Device device : available_devices()) {
    for (const DType dtype : {DType::bfloat16, DType::float16}) {
      const Results results = adam_of_many_slots(device, {dtype, true, 0});
      for (size_t i = 0; i < results.size(); i += 4) expect_same_bits({results[i + 3]}, {rounded(results[i], dtype)});
    }
  }
}

TEST(AdamKernel, TakesGradientsIn16Bits) {
  const Results wide = adam_of_many_slots(Device::cpu, {DType::float32, false, 0});
  for (const DType dtype : {DType::bfloat16, DType::float16}) {
    const Results narrow = adam_of_many_slots(Device::cpu, {dtype, false, 0});
    expect_close(narrow, wide, 0x1p-6, 0x1p-8);
    EXPECT_NE(narrow, wide);
  }
}

TEST(AdamKernel, GivesTheSameBitsAtAnyThreadCount) {
  expect_same_bits_at_any_thread_count([] {
    Optimized optimized(random_values(100003, 1));
    optimized.adam(random_values(100003, 2), false);
    return optimized.state();
  });
}

}  // namespace
}  // namespace melgrad::test
