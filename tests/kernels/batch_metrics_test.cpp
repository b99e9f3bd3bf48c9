#include "kernels/batch_metrics.h"

#include "tests/support/kernel_test.h"

namespace melgrad::test {
namespace {

using kernel::BatchMetrics;

BatchMetrics metrics_of(Device device, const std::vector<float>& logits, const std::vector<float>& targets,
                        int64_t classes, DType dtype) {
  Stream& stream = Stream::of(device);
  const Array rows(stream, logits, dtype);
  const DeviceVector<float> wanted(stream, targets), loss(stream, std::vector{0.75f}), norm(stream, std::vector{3.5f});
  const DeviceVector<BatchMetrics> out(stream, 1);
  kernel::batch_metrics(stream, rows.data(), wanted, loss, norm, out, dtype,
                        static_cast<int64_t>(logits.size()) / classes, classes);
  return out.values()[0];
}

TEST(BatchMetricsKernel, CountsWhereTheLargestLogitIsTheLargestTarget) {
  const std::vector<float> logits{1, 2, 3, /**/ 5, 5, 1, /**/ -2, -1, -3, /**/ 0, 1, 0};
  const std::vector<float> targets{0, 0, 1, /**/ 1, 0, 0, /**/ 0.6f, 0.4f, 0, /**/ 0.5f, 0.5f, 0};
  const BatchMetrics metrics = metrics_of(Device::cpu, logits, targets, 3, DType::float32);
  EXPECT_EQ(metrics.correct, 2);
  EXPECT_EQ(metrics.loss, 0.75f);
  EXPECT_EQ(metrics.gradient_norm, 3.5f);
}

TEST(BatchMetricsKernel, CudaAgreesWithTheCpu) {
  MELGRAD_SKIP_WITHOUT_CUDA();
  constexpr int64_t classes = 4;
  for (const DType dtype : activation_dtypes) {
    for (const int64_t n : {1, 31, 257, 1009}) {
      const auto logits = rounded(random_values(n * classes, 1), dtype);
      const auto targets = random_values(n * classes, 2);
      const Results cuda = in_every_order([&] {
        const BatchMetrics metrics = metrics_of(Device::cuda, logits, targets, classes, dtype);
        return Results{{metrics.loss, metrics.gradient_norm, static_cast<float>(metrics.correct)}};
      });
      const BatchMetrics cpu = metrics_of(Device::cpu, logits, targets, classes, DType::float32);
      expect_same_bits(cuda, Results{{cpu.loss, cpu.gradient_norm, static_cast<float>(cpu.correct)}});
    }
  }
}

}  // namespace
}  // namespace melgrad::test
