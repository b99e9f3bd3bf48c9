#include "kernels/one_hot.h"

#include "tests/support/kernel_test.h"

namespace melgrad::test {
namespace {

std::vector<float> one_hot(Device device, const std::vector<int32_t>& labels, const std::vector<int64_t>& picks,
                           int64_t classes) {
  Stream& stream = Stream::of(device);
  const DeviceVector<int32_t> device_labels(stream, labels);
  const DeviceVector<int64_t> device_picks(stream, picks);
  const auto batch = static_cast<int64_t>(picks.size());
  const DeviceVector<float> y(stream, batch * classes);
  kernel::one_hot(stream, device_labels, device_picks, y, batch, classes);
  return y.values();
}

TEST(OneHotKernel, MarksTheLabelsOfThePicks) {
  for (const Device device : available_devices()) {
    EXPECT_EQ(one_hot(device, {2, 0}, {1, 0, 1}, 3), (std::vector<float>{1, 0, 0, 0, 0, 1, 1, 0, 0}));
  }
}

TEST(OneHotKernel, CudaEqualsTheCpu) {
  MELGRAD_SKIP_WITHOUT_CUDA();
  for (const int64_t batch : {0, 1, 300}) {
    std::vector<int32_t> labels;
    std::vector<int64_t> picks;
    for (int i = 0; i < 50; ++i) labels.push_back(i * 7 % 11);
    for (int64_t i = 0; i < batch; ++i) picks.push_back(i * 13 % 50);
    EXPECT_EQ(one_hot(Device::cuda, labels, picks, 11), one_hot(Device::cpu, labels, picks, 11));
  }
}

}  // namespace
}  // namespace melgrad::test
