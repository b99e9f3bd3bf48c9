#include "kernels/adaptive_avg_pool2d.h"

#include <numeric>

#include "tests/support/kernel_test.h"

namespace melgrad::test {
namespace {

using kernel::AdaptivePool2d;

int64_t in_elements(const AdaptivePool2d& p) { return p.batch * p.height * p.width * p.channels; }
int64_t out_elements(const AdaptivePool2d& p) { return p.batch * p.out_height * p.out_width * p.channels; }

std::vector<float> forward(const std::vector<float>& x, const AdaptivePool2d& pool, Device device = Device::cpu,
                           DType dtype = DType::float32) {
  Stream& stream = Stream::of(device);
  const Array in(stream, x, dtype), y(stream, out_elements(pool), dtype);
  kernel::adaptive_avg_pool2d_forward(stream, in.data(), y.data(), dtype, pool);
  return y.values();
}

std::vector<float> backward(const std::vector<float>& dy, const AdaptivePool2d& pool, Device device = Device::cpu,
                            DType dtype = DType::float32) {
  Stream& stream = Stream::of(device);
  const Array d_out(stream, dy, dtype), dx(stream, in_elements(pool), dtype);
  kernel::adaptive_avg_pool2d_backward(stream, d_out.data(), dx.data(), dtype, pool);
  return dx.values();
}

double dot(const std::vector<float>& a, const std::vector<float>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

constexpr AdaptivePool2d shapes[] = {{1, 1, 1, 1, 1, 1},  {3, 4, 9, 31, 1, 1},  {2, 5, 7, 3, 2, 3},
                                     {2, 7, 5, 33, 7, 5}, {5, 13, 11, 8, 6, 6}, {2, 2, 3, 5, 4, 7},
                                     {2, 3, 5, 72, 1, 1}, {1, 7, 41, 16, 1, 1}};

TEST(AdaptiveAvgPool2dKernel, AgreesWithPyTorchWhereWindowsOverlap) {
  std::vector<float> x(35);
  std::iota(x.begin(), x.end(), 1.0f);
  // torch.nn.functional.adaptive_avg_pool2d(torch.arange(1., 36.).reshape(1, 1, 5, 7), (2, 3))
  expect_close<double>(forward(x, {1, 5, 7, 1, 2, 3}), {9, 11, 13, 23, 25, 27}, 1e-6, 0);
}

TEST(AdaptiveAvgPool2dKernel, GlobalPoolingIsTheMean) {
  const AdaptivePool2d pool{3, 4, 9, 31, 1, 1};
  const auto x = random_values(in_elements(pool), 1);
  std::vector<double> mean(static_cast<size_t>(out_elements(pool)));
  for (size_t i = 0; i < x.size(); ++i) mean[i / (size_t{36} * 31) * 31 + i % 31] += static_cast<double>(x[i]) / 36;
  expect_close(forward(x, pool), mean, 1e-5, 1e-6);
}

TEST(AdaptiveAvgPool2dKernel, BackwardIsTheTranspose) {
  for (const AdaptivePool2d& pool : shapes) {
    const auto x = random_values(in_elements(pool), 1), dy = random_values(out_elements(pool), 2);
    EXPECT_NEAR(dot(forward(x, pool), dy), dot(x, backward(dy, pool)), 1e-4);
  }
}

TEST(AdaptiveAvgPool2dKernel, CudaAgreesWithTheCpu) {
  MELGRAD_SKIP_WITHOUT_CUDA();
  for (const DType dtype : activation_dtypes) {
    for (const AdaptivePool2d& pool : shapes) {
      const auto x = rounded(random_values(in_elements(pool), 1), dtype);
      const auto dy = rounded(random_values(out_elements(pool), 2), dtype);
      const auto on_cuda = [&] {
        return Results{forward(x, pool, Device::cuda, dtype), backward(dy, pool, Device::cuda, dtype)};
      };
      SCOPED_TRACE(testing::Message() << pool.height << " x " << pool.width << " " << name_of(dtype));
      expect_close(in_every_order(on_cuda), Results{forward(x, pool), backward(dy, pool)}, tolerance(dtype, 1e-5),
                   1e-6);
    }
  }
}

TEST(AdaptiveAvgPool2dKernel, GivesTheSameBitsAtAnyThreadCount) {
  for (const AdaptivePool2d& pool : shapes) {
    const auto x = random_values(in_elements(pool), 1), dy = random_values(out_elements(pool), 2);
    expect_same_bits_at_any_thread_count([&] { return forward(x, pool); });
    expect_same_bits_at_any_thread_count([&] { return backward(dy, pool); });
  }
}

}  // namespace
}  // namespace melgrad::test
