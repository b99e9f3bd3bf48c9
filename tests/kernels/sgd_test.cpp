// The optimizer's test compares whole runs with PyTorch; this one compares the devices.
#include "kernels/sgd.h"

#include "tests/support/kernel_test.h"

namespace melgrad::test {
namespace {

// Parameter and velocity after two steps.
Results two_steps(Device device, int64_t n, size_t offset = 0) {
  Stream& stream = Stream::of(device);
  const auto all = n + static_cast<int64_t>(offset);
  const Array parameter(stream, random_values(all, 1)), gradient(stream, random_values(all, 2)),
      velocity(stream, random_values(all, 3));
  for (int step = 0; step < 2; ++step) {
    kernel::sgd_step(stream, parameter.floats() + offset, gradient.floats() + offset, velocity.floats() + offset, n,
                     0.1f, 0.9f, 0.01f);
  }
  return {parameter.values(), velocity.values()};
}

TEST(SgdKernel, AgreesWithItsDefinition) {
  auto parameter = random_values(33, 1), velocity = random_values(33, 3);
  const auto gradient = random_values(33, 2);
  for (int step = 0; step < 2; ++step) {
    for (size_t i = 0; i < parameter.size(); ++i) {
      velocity[i] = 0.9f * velocity[i] + (gradient[i] + 0.01f * parameter[i]);
      parameter[i] -= 0.1f * velocity[i];
    }
  }
  expect_close(two_steps(Device::cpu, 33), Results{parameter, velocity}, 1e-6, 1e-6);
}

TEST(SgdKernel, CudaAgreesWithTheCpu) {
  MELGRAD_SKIP_WITHOUT_CUDA();
  for (const int64_t n : {0, 1, 31, 33, 4099}) {
    for (const size_t offset : {0, 1}) {
      expect_close(in_every_order([&] { return two_steps(Device::cuda, n, offset); }),
                   two_steps(Device::cpu, n, offset), 1e-6, 1e-6);
    }
  }
}

}  // namespace
}  // namespace melgrad::test
