#include "kernels/batch_norm_max_pool2d.h"

#include "tests/support/kernel_test.h"

namespace melgrad::test {
namespace {

struct Case {
  kernel::Pool2d pool;
  bool training, two_gradients;
};
constexpr Case cases[] = {{{1, 2, 2, 1, 2, 2, 0}, true, false},   {{2, 7, 5, 3, 3, 2, 1}, true, true},
                          {{3, 13, 11, 16, 3, 2, 1}, true, true}, {{3, 13, 11, 16, 3, 2, 1}, false, false},
                          {{1, 31, 33, 8, 5, 3, 2}, false, true}, {{2, 9, 17, 72, 3, 1, 1}, true, false}};

// Returns y, taken, the maxima's x, dx, dgamma, dbeta for inputs that `dtype` represents.
Results run(Device device, const Case& c, DType dtype, DType rounding) {
  Stream& stream = Stream::of(device);
  const kernel::Pool2d& pool = c.pool;
  const int64_t in = pool.batch * pool.height * pool.width * pool.channels;
  const int64_t out = pool.batch * pool.out_height() * pool.out_width() * pool.channels;
  const auto values = [&](int64_t n, uint64_t seed) { return rounded(random_values(n, seed), rounding); };
  const Array x(stream, values(in, 1), dtype), dy(stream, values(out, 2), dtype), second(stream, values(out, 3), dtype);
  const Array gamma(stream, random_values(pool.channels, 4)), beta(stream, random_values(pool.channels, 5));
  const Array mean(stream, random_values(pool.channels, 6)), var(stream, random_values(pool.channels, 7, 0.5, 1));
  const Array y(stream, out, dtype), taken_x(stream, out, dtype), dx(stream, in, dtype), dgamma(stream, pool.channels),
      dbeta(stream, pool.channels);
  const DeviceVector<uint8_t> taken(stream, out);
  const kernel::BatchNormNormalization normalization{
      {gamma.floats(), beta.floats()},
      c.training ? constants_of(kernel::BatchNormStatistics{mean.floats(), var.floats()})
                 : constants_of(kernel::RunningStatistics{mean.floats(), var.floats()}, 1e-5f)};
  kernel::batch_norm_max_pool2d_forward(stream, x.data(), normalization, y.data(), {taken, taken_x.data()}, dtype,
                                        pool);
  kernel::batch_norm_max_pool2d_backward(stream, x.data(), dy.data(), c.two_gradients ? second.data() : nullptr,
                                         {taken, taken_x.data()}, normalization, c.training, dx.data(), dgamma.floats(),
                                         dbeta.floats(), dtype, pool);
  const std::vector<uint8_t> positions = taken.values();
  return {y.values(),    {positions.begin(), positions.end()}, taken_x.values(), dx.values(), dgamma.values(),
          dbeta.values()};
}

// The op table (op_test.cpp) compares float32 with PyTorch. This compares the GPU's bfloat16 with float32 on the CPU.
TEST(BatchNormMaxPool2dKernel, CudaAgreesWithTheCpu) {
  MELGRAD_SKIP_WITHOUT_CUDA();
  for (const DType dtype : activation_dtypes) {
    for (const Case& c : cases) {
      SCOPED_TRACE(testing::Message() << name_of(dtype) << " " << c.pool.height << " x " << c.pool.width << " x "
                                      << c.pool.channels);
      expect_close(in_every_order([&] { return run(Device::cuda, c, dtype, dtype); }),
                   run(Device::cpu, c, DType::float32, dtype), tolerance(dtype, 1e-5), 2e-5);
    }
  }
}

TEST(BatchNormMaxPool2dKernel, GivesTheSameBitsAtAnyThreadCount) {
  const Case c{{3, 61, 67, 17, 3, 2, 1}, true, true};
  expect_same_bits_at_any_thread_count([&] { return run(Device::cpu, c, DType::float32, DType::float32); });
}

}  // namespace
}  // namespace melgrad::test
