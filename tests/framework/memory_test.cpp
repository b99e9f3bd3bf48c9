// A training step takes no memory from the system after the first steps: the allocator reuses its blocks, at the same
// addresses.
#include <gtest/gtest.h>
#include <malloc.h>

#include <algorithm>
#include <limits>
#include <optional>

#include "framework/layers.h"
#include "framework/optimizer.h"
#include "tests/support/devices.h"

#if defined(__SANITIZE_ADDRESS__)
extern "C" size_t __sanitizer_get_current_allocated_bytes();  // no header of GCC declares it
#endif

namespace melgrad::test {
namespace {

size_t heap_bytes() {
#if defined(__SANITIZE_ADDRESS__)
  return __sanitizer_get_current_allocated_bytes();
#else
  const auto info = mallinfo2();
  return info.uordblks + info.hblkhd;
#endif
}

// A small model with one layer of every kind and a residual sum.
class Narrow : public Module {
 public:
  Narrow()
      : conv1_(child<Conv2d>("conv1", 1, 4, Conv2d::Options{.padding = 1})),
        bn1_(child<BatchNorm2d>("bn1", 4)),
        pool_(child<MaxPool2d>("pool", 2, 2, 0)),
        conv2_(child<Conv2d>("conv2", 4, 4, Conv2d::Options{.padding = 1, .bias = false})),
        dropout_(child<Dropout>("dropout", 0.25f)),
        fc_(child<Linear>("fc", 4, 3)) {}
  std::string description() const override { return "Narrow"; }

 protected:
  Tensor forward(const Tensor& x) override {
    const Tensor y = pool_(relu(bn1_(conv1_(x))));
    return fc_(dropout_(flatten(adaptive_avg_pool2d(add(conv2_(y), y), 1, 1))));
  }

 private:
  Conv2d& conv1_;
  BatchNorm2d& bn1_;
  MaxPool2d& pool_;
  Conv2d& conv2_;
  Dropout& dropout_;
  Linear& fc_;
};

class Training {
 public:
  explicit Training(Device device) : device_(device) {
    model_.move_to(device);
    optimizer_.emplace(decay_groups(model_.parameters(), 0.01f), Adam::Options{.max_gradient_norm = 1});
    x_ = x_.to(device);
    targets_ = targets_.to(device);
  }

  // Trains one step. Returns the address of its logits.
  const void* step() {
    default_generator(device_).advance();
    optimizer_->zero_grad();
    const Tensor logits = model_(x_);
    cross_entropy(logits, targets_, 0.1f).backward();
    optimizer_->step(1e-3f);
    Stream::of(device_).synchronize();
    return logits.data();
  }

 private:
  Device device_;
  Narrow model_;
  std::optional<Adam> optimizer_;
  Tensor x_ = Tensor::full({3, 9, 7, 1}, 0.5f);
  Tensor targets_ = Tensor::full({3, 3}, 1.0f / 3);
};

class MemoryOnDevice : public testing::TestWithParam<Device> {
 protected:
  void SetUp() override { MELGRAD_SKIP_WITHOUT(GetParam()); }
};
INSTANTIATE_TEST_SUITE_P(All, MemoryOnDevice, testing::ValuesIn(devices_of_build), name_of_device);

TEST_P(MemoryOnDevice, DoesNotGrowOverManySteps) {
  Training training(GetParam());
  for (int i = 0; i < 200; ++i) training.step();
  Stream& stream = Stream::of(GetParam());
  const MemoryUse before = stream.memory();
  // A leak shows in each part. A thread of the pool allocates once, in the first step in which it finds a task, and on
  // a busy machine that may be late.
  auto least_growth = std::numeric_limits<int64_t>::max();
  for (int part = 0; part < 3; ++part) {
    const auto heap_before = static_cast<int64_t>(heap_bytes());
    for (int i = 0; i < 300; ++i) training.step();
    least_growth = std::min(least_growth, static_cast<int64_t>(heap_bytes()) - heap_before);
  }
  EXPECT_EQ(stream.memory().held, before.held);
  EXPECT_EQ(stream.memory().used, before.used);
  EXPECT_EQ(stream.memory().peak, before.peak);
  EXPECT_LE(least_growth, 5 << 10);  // less than 18 bytes a step
}

TEST_P(MemoryOnDevice, AddressesRepeatFromStepToStep) {
  Training training(GetParam());
  for (int i = 0; i < 3; ++i) training.step();
  const void* const address = training.step();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(training.step(), address);
}

TEST(Memory, EvaluationUsesLessThanTraining) {
  Stream& stream = Stream::of(Device::cpu);
  const auto peak_of = [&](auto run) {
    Narrow model;
    const Tensor x = Tensor::full({16, 32, 32, 1}, 0.5f);
    stream.reset_peak();
    const size_t before = stream.memory().used;
    run(model, x);
    return stream.memory().peak - before;
  };
  const size_t training = peak_of([](Module& model, const Tensor& x) { model(x); });
  const size_t evaluation = peak_of([](Module& model, const Tensor& x) {
    const NoGrad guard;
    model(x);
  });
  EXPECT_LT(evaluation, training);
}

}  // namespace
}  // namespace melgrad::test
