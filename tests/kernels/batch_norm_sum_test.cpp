#include "kernels/batch_norm_sum.h"

#include "tests/support/kernel_test.h"

namespace melgrad::test {
namespace {

struct Case {
  int64_t rows, channels;
  bool training, two_gradients;
};
constexpr Case cases[] = {{2, 1, true, false},   {31, 33, true, true},    {257, 8, true, false}, {300, 16, true, true},
                          {67, 72, false, true}, {1009, 5, false, false}, {130, 136, true, true}};

// One of the two batch norms.
struct Term {
  Array x, gamma, beta, mean, spread, dx, dgamma, dbeta;
  bool training;

  Term(Stream& stream, const Case& c, uint64_t seed, DType dtype, DType rounding)
      : x(stream, rounded(random_values(c.rows * c.channels, seed), rounding), dtype),
        gamma(stream, random_values(c.channels, seed + 1)),
        beta(stream, random_values(c.channels, seed + 2)),
        mean(stream, random_values(c.channels, seed + 3)),
        spread(stream, random_values(c.channels, seed + 4, 0.5, 1)),
        dx(stream, c.rows * c.channels, dtype),
        dgamma(stream, c.channels),
        dbeta(stream, c.channels),
        training(c.training) {}
  kernel::BatchNormTerm operand() const {
    return {x.data(),
            {{gamma.floats(), beta.floats()},
             training ? constants_of(kernel::BatchNormStatistics{mean.floats(), spread.floats()})
                      : constants_of(kernel::RunningStatistics{mean.floats(), spread.floats()}, 1e-5f)}};
  }
  kernel::BatchNormTermGradient gradient() const { return {dx.data(), dgamma.floats(), dbeta.floats()}; }
};

// Returns y, and dx, dgamma and dbeta of both terms, for inputs that `rounding` represents.
Results run(Device device, const Case& c, DType dtype, DType rounding) {
  Stream& stream = Stream::of(device);
  const int64_t n = c.rows * c.channels;
  const Term a(stream, c, 1, dtype, rounding), b(stream, c, 11, dtype, rounding);
  const Array dy(stream, rounded(random_values(n, 21), rounding), dtype), y(stream, n, dtype);
  const Array second(stream, rounded(random_values(n, 22), rounding), dtype);
  const kernel::BatchNormSize size{dtype, c.rows, c.channels};
  kernel::batch_norm_sum_forward(stream, a.operand(), b.operand(), y.data(), size);
  kernel::batch_norm_sum_backward(stream, a.operand(), b.operand(), dy.data(),
                                  c.two_gradients ? second.data() : nullptr, c.training, a.gradient(), b.gradient(),
                                  size);
  return {y.values(),    a.dx.values(),     a.dgamma.values(), a.dbeta.values(),
          b.dx.values(), b.dgamma.values(), b.dbeta.values()};
}

// The op table (op_test.cpp) compares float32 with PyTorch. This compares the GPU's 16-bit types with float32 on the
// CPU.
TEST(BatchNormSumKernel, CudaAgreesWithTheCpu) {
  MELGRAD_SKIP_WITHOUT_CUDA();
  for (const DType dtype : activation_dtypes) {
    for (const Case& c : cases) {
      SCOPED_TRACE(testing::Message() << name_of(dtype) << " " << c.rows << " x " << c.channels);
      expect_close(in_every_order([&] { return run(Device::cuda, c, dtype, dtype); }),
                   run(Device::cpu, c, DType::float32, dtype), tolerance(dtype, 1e-5), 2e-5);
    }
  }
}

TEST(BatchNormSumKernel, GivesTheSameBitsAtAnyThreadCount) {
  const Case c{12347, 17, true, true};
  expect_same_bits_at_any_thread_count([&] { return run(Device::cpu, c, DType::float32, DType::float32); });
}

}  // namespace
}  // namespace melgrad::test
