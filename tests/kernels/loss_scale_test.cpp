#include "kernels/loss_scale.h"

#include <limits>

#include "tests/support/kernel_test.h"

namespace melgrad::test {
namespace {

class LossScaleKernel : public testing::TestWithParam<Device> {
 protected:
  void SetUp() override { MELGRAD_SKIP_WITHOUT(GetParam()); }
};

// The loss scale of a training of which each step has this norm of the scaled gradients.
struct Scaled {
  Stream& stream;
  DeviceVector<float> scale{stream, std::vector{kernel::initial_loss_scale}};
  DeviceVector<kernel::LossScaleSteps> steps{stream, std::vector<kernel::LossScaleSteps>(1)};
  DeviceVector<float> norm{stream, 1}, gradient_scale{stream, 1};
  DeviceVector<kernel::AdamScalars> updates{stream, 1};
  int32_t step = 0;

  void take_step(float scaled_norm, float max_norm = 0) {
    stream.copy(norm, &scaled_norm, sizeof scaled_norm);
    const DeviceVector<kernel::AdamScalars> counted(stream,
                                                    std::vector<kernel::AdamScalars>{{0.5f, 0.1f, 0.001f, ++step}});
    kernel::update_loss_scale(stream, scale, steps, counted, max_norm, 0.9f, 0.999f, {norm, gradient_scale, updates});
  }
  float scale_now() const { return scale.values()[0]; }
};

constexpr float infinity = std::numeric_limits<float>::infinity();

TEST_P(LossScaleKernel, UndoesTheScaleAndClips) {
  Scaled scaled{Stream::of(GetParam())};
  scaled.take_step(3 * 65536.0f);
  EXPECT_EQ(scaled.norm.values()[0], 3);
  EXPECT_EQ(scaled.gradient_scale.values()[0], 1 / 65536.0f);
  scaled.take_step(4 * 65536.0f, 2);
  EXPECT_EQ(scaled.norm.values()[0], 4);
  EXPECT_NEAR(scaled.gradient_scale.values()[0] * 65536, 2 / 4.000001, 1e-7);
}

// The values of torch.amp.GradScaler() in the same steps.
TEST_P(LossScaleKernel, HalvesTheScaleAtAnOverflowAndDoublesItAfter2000StepsWithout) {
  Scaled scaled{Stream::of(GetParam())};
  scaled.take_step(infinity);
  EXPECT_EQ(scaled.scale_now(), 32768);
  EXPECT_TRUE(std::isnan(scaled.gradient_scale.values()[0]));
  scaled.take_step(NAN);
  EXPECT_EQ(scaled.scale_now(), 16384);
  for (int i = 0; i < 1999; ++i) scaled.take_step(1);
  EXPECT_EQ(scaled.scale_now(), 16384);
  scaled.take_step(1);
  EXPECT_EQ(scaled.scale_now(), 32768);
  EXPECT_EQ(scaled.steps.values()[0].since_change, 0);
  EXPECT_EQ(scaled.steps.values()[0].skipped, 2);
}

// Adam counts the updates that it made.
TEST_P(LossScaleKernel, CorrectsTheBiasForTheStepsThatWereNotSkipped) {
  Scaled scaled{Stream::of(GetParam())};
  for (const float norm : {infinity, 1.0f, infinity, 1.0f}) scaled.take_step(norm);
  const kernel::AdamScalars scalars = scaled.updates.values()[0];
  EXPECT_EQ(scalars.learning_rate, 0.5f);
  EXPECT_NEAR(scalars.bias_correction1, 1 - 0.9 * 0.9, 1e-6);
  EXPECT_NEAR(scalars.bias_correction2, 1 - 0.999 * 0.999, 1e-7);
}

INSTANTIATE_TEST_SUITE_P(Devices, LossScaleKernel, testing::ValuesIn(devices_of_build), name_of_device);

}  // namespace
}  // namespace melgrad::test
