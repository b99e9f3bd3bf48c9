#include "kernels/mixup.h"

#include "kernels/beta.h"
#include "tests/support/kernel_test.h"

namespace melgrad::test {
namespace {

// Returns the mixed examples and the mixed targets. `random` must be of the same device.
Results mixup(const std::vector<float>& x, const std::vector<float>& targets, int64_t batch, const RandomStream& random,
              Device device = Device::cpu, DType dtype = DType::float32) {
  Stream& stream = Stream::of(device);
  const auto elements = static_cast<int64_t>(x.size()), classes = static_cast<int64_t>(targets.size());
  const Array in(stream, x, dtype), y(stream, elements, dtype);
  const DeviceVector<float> t(stream, targets), mixed(stream, classes);
  kernel::mixup(stream, in.data(), t, y.data(), mixed, dtype, batch, elements / batch, classes / batch, 0.4f, random);
  return {y.values(), mixed.values()};
}

TEST(MixupKernel, CudaAgreesWithTheCpu) {
  MELGRAD_SKIP_WITHOUT_CUDA();
  for (const DType dtype : activation_dtypes) {
    for (const auto& shape : {std::pair<int64_t, int64_t>{1, 40}, {2, 1}, {31, 33}, {6, 1048}}) {
      const int64_t batch = shape.first, elements = shape.second;
      const auto x = rounded(random_values(batch * elements, 1), dtype);
      const auto targets = random_values(batch * 37, 2);
      const Randomness random(1, 2, 3), device_random(1, 2, 3, Device::cuda);
      const Results actual =
          in_every_order([&] { return mixup(x, targets, batch, device_random.stream, Device::cuda, dtype); });
      const Results expected = mixup(x, targets, batch, random.stream);
      expect_close(actual[0], expected[0], tolerance(dtype, 1e-6), 1e-6);
      expect_close(actual[1], expected[1], 1e-6, 1e-6);
    }
  }
}

// Example i is mixed with example batch - 1 - i.
TEST(MixupKernel, CombinesMirroredPartners) {
  for (const int64_t batch : {1, 2, 31}) {
    constexpr int64_t elements = 33, classes = 7;
    const auto x = random_values(batch * elements, 1), targets = random_values(batch * classes, 2);
    const Randomness random(1, 2, 3);
    const Results mixed = mixup(x, targets, batch, random.stream);
    for (int64_t i = 0; i < batch; ++i) {
      const int64_t partner = batch - 1 - i;
      const double lambda = static_cast<double>(beta(random.stream, static_cast<uint64_t>(i), 0.4f));
      const auto expect_mixed = [&](const std::vector<float>& in, const std::vector<float>& out, int64_t size) {
        for (int64_t j = 0; j < size; ++j) {
          const double own = static_cast<double>(in[static_cast<size_t>(i * size + j)]);
          const double other = static_cast<double>(in[static_cast<size_t>(partner * size + j)]);
          EXPECT_NEAR(out[static_cast<size_t>(i * size + j)], lambda * own + (1 - lambda) * other, 1e-6);
        }
      };
      expect_mixed(x, mixed[0], elements);
      expect_mixed(targets, mixed[1], classes);
    }
  }
}

TEST(MixupKernel, IsDeterminedBySeedStepAndStreamAtAnyThreadCount) {
  const auto x = random_values(int64_t{17} * 33, 1), targets = random_values(int64_t{17} * 5, 2);
  const auto mix = [&](const RandomStream& random) { return mixup(x, targets, 17, random); };
  expect_determined_by_seed_step_and_stream(mix);
  expect_same_bits_at_any_thread_count([&] { return mix(Randomness(1, 2, 3).stream); });
}

TEST(MixupKernel, RefusesAlphaZero) {
  for (const Device device : available_devices()) {
    Stream& stream = Stream::of(device);
    const DeviceVector<float> memory(stream, 10), out(stream, 10);
    EXPECT_THROW(
        kernel::mixup(stream, memory, memory, out, out, DType::float32, 1, 1, 1, 0, Randomness(1, 2, 3, device).stream),
        Error);
  }
}

}  // namespace
}  // namespace melgrad::test
